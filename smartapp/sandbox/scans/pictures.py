"""From an anatomy to the stored pixels of each instance of a series."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartapp.sandbox.scans.chest import Chest
from smartapp.sandbox.scans.head import HOUNSFIELD, T1, T2, Head, coloured
from smartapp.sandbox.scans.noise import NoisePool
from smartapp.sandbox.scans.radiographs import hand, knee
from smartapp.sandbox.scans.shapes import Plane, blur, grid, oval
from smartapp.sandbox.scans.soft import breast, doppler, fan, uptake
from smartapp.sandbox.world import Series, Study

INTERCEPT = -1024
"""RescaleIntercept of the CT scans: stored value = Hounsfield units + 1024."""
SPACING = {"chest": 400 / 512, "head": 230 / 512, "brain-mr": 240 / 256, "hand": 0.28, "knee": 0.28}
"""Millimetres between pixels, by anatomy, at its full matrix."""
_WIDTH = {
    "chest": 400.0,
    "abdomen": 400.0,
    "pet": 400.0,
    "head": 230.0,
    "brain-mr": 240.0,
    "hand": 0.28 * 832,
    "knee": 0.28 * 832,
    "thumbnail": 360.0,
    "breast": 180.0,
    "ultrasound": 60.0,
    "doppler": 150.0,
}
"""Millimetres from the left to the right edge, by anatomy."""
THICKNESS = {"chest": 1.5, "head": 5.0, "brain-mr": 5.0}
"""Millimetres between slices, by anatomy."""
_SIGMA = {"soft": 14.0, "lung": 48.0, "bone": 62.0, "none": 14.0}
_GRAIN = {"soft": 2, "lung": 1, "bone": 0, "none": 1}


@dataclass(frozen=True)
class Picture:
    """One instance's stored pixels, none for a document; frames come first, samples last.

    `number` is the InstanceNumber, from 1; `z` the slice's height in millimetres.
    """

    series: Series
    number: int
    z: float
    pixels: NDArray[Any] | None = None


def seeded(*names: str) -> np.random.Generator:
    """A generator whose numbers depend on the names alone."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256("/".join(names).encode()).digest()[:8], "big"))


def pictures(study: Study) -> Iterator[Picture]:
    """Every instance of the study, slice by slice from the head down, so that one body serves all of its series.

    Raises KeyError for an anatomy that nobody has drawn yet.
    """
    return _DRAWN[study.anatomy](study)


def spacing(study: Study, series: Series) -> float:
    """Millimetres between the pixels of a series."""
    return _WIDTH[study.anatomy] / series.columns


def step(study: Study) -> float:
    """Millimetres from slice to slice."""
    return study.slab[1] if study.slab else THICKNESS[study.anatomy]


def _pools(study: Study, shape: tuple[int, int]) -> dict[str, NoisePool]:
    return {
        series.uid: NoisePool(seeded("noise", series.uid), shape, _SIGMA[series.kernel], _GRAIN[series.kernel])
        for series in study.series
        if series.rows
    }


def _heights(study: Study) -> Iterator[tuple[int, float]]:
    count, lowest = study.series[0].slices, study.slab[0] if study.slab else 0.0
    for index in range(count):
        yield index + 1, lowest + (count - 1 - index) * step(study)


def _reconstructed(body: Plane, kernel: str, noise: Plane) -> NDArray[np.int16]:
    """The body as a scanner with this kernel shows it: smooth and quiet, or sharp and grainy."""
    once = blur(body)
    if kernel == "soft":
        once = blur(once)
    elif kernel == "bone":
        once = body + 0.35 * (body - once)
    stored = np.clip(once + noise - INTERCEPT, 0, 4095)
    return np.asarray(np.rint(stored), dtype=np.int16)


def _chest(study: Study) -> Iterator[Picture]:
    shape = (study.series[0].rows, study.series[0].columns)
    chest = Chest(grid(*shape, spacing(study, study.series[0])), seeded("chest", study.uid))
    pools = _pools(study, shape)
    for number, z in _heights(study):
        body = chest.slice_at(z)
        for series in study.series:
            if series.rows:
                yield Picture(series, number, z, _reconstructed(body, series.kernel, pools[series.uid].cut()))
    yield from (Picture(series, 1, 0.0) for series in study.series if not series.rows)


def _head(study: Study) -> Iterator[Picture]:
    series = study.series[0]
    head = Head(grid(series.rows, series.columns, spacing(study, study.series[0])), seeded("head", study.uid))
    noise = NoisePool(seeded("noise", series.uid), (series.rows, series.columns), 3.5, 2)
    for number, z in _heights(study):
        body = coloured(head.slice_at(z), HOUNSFIELD)
        yield Picture(series, number, z, _reconstructed(body, series.kernel, noise.cut()))


def _brain(study: Study) -> Iterator[Picture]:
    shape = (study.series[0].rows, study.series[0].columns)
    head = Head(grid(*shape, spacing(study, study.series[0])), seeded("head", study.uid))
    pools = _pools(study, shape)
    for number, z in _heights(study):
        tissues = head.slice_at(z + 20.0)
        for series in study.series:
            weights = T1 if series.description.startswith("T1") else T2
            signal = blur(coloured(tissues, weights)) + pools[series.uid].cut()
            yield Picture(series, number, z, np.rint(np.abs(signal)).astype(np.uint16))


def _radiograph(study: Study) -> Iterator[Picture]:
    """12-bit values that grow with what the ray met; the writer turns them round for MONOCHROME1."""
    series = study.series[0]
    plane = grid(series.rows, series.columns, spacing(study, series))
    right = "right" in study.description.lower()
    noise = NoisePool(seeded("noise", series.uid), plane.shape, 18.0, 1)
    for number in range(1, series.slices + 1):
        rng = seeded("bones", study.uid, str(number))
        if study.anatomy == "hand":
            loss = hand(plane, rng, oblique=number > 1, right=right)
        else:
            loss = knee(plane, rng, right=right)
        exposure = 3300.0 / float(np.percentile(loss, 99.7))
        values = np.clip(260.0 + loss * exposure + noise.cut(), 0, 4095)
        yield Picture(series, number, 0.0, np.rint(values).astype(np.uint16))


def _pet(study: Study) -> Iterator[Picture]:
    """A CT and where the sugar went: heart muscle, liver, and the noise of few counts."""
    ct, pet = study.series
    chest = Chest(grid(ct.rows, ct.columns, spacing(study, ct)), seeded("chest", study.uid))
    pool = _pools(study, (ct.rows, ct.columns))[ct.uid]
    rng, plane = seeded("pet", study.uid), grid(pet.rows, pet.columns, spacing(study, pet))
    for number, z in _heights(study):
        yield Picture(ct, number, z, _reconstructed(chest.slice_at(z), ct.kernel, pool.cut()))
        yield Picture(pet, number, z, uptake(plane, rng, z))


def _breasts(study: Study) -> Iterator[Picture]:
    series = study.series[0]
    plane = grid(series.rows, series.columns, spacing(study, series))
    for number in range(1, series.slices + 1):
        rng = seeded("breast", series.uid, str(number))
        yield Picture(series, number, 0.0, breast(plane, rng, right=number % 2 == 1, oblique=number > 2))


def _cine(study: Study) -> Iterator[Picture]:
    series = study.series[0]
    fans = fan(series.frames, (series.rows, series.columns), seeded("fan", series.uid))
    yield Picture(series, 1, 0.0, doppler(fans) if study.anatomy == "doppler" else fans)


def _thumbnail(study: Study) -> Iterator[Picture]:
    """One picture for many studies: what counts there is how many they are."""
    series = study.series[0]
    yield Picture(series, 1, 0.0, _tiny_chest(series.rows, series.columns))


@cache
def _tiny_chest(rows: int, columns: int) -> NDArray[np.uint16]:
    plane = grid(rows, columns, _WIDTH["thumbnail"] / columns)
    lungs = [np.exp(-oval(plane, (side * 70.0, 0.0), (62.0, 130.0), 3.0)) for side in (-1.0, 1.0)]
    return np.asarray(np.rint(3000.0 - 2200.0 * np.maximum(*lungs)), dtype=np.uint16)


_DRAWN: dict[str, Callable[[Study], Iterator[Picture]]] = {
    "chest": _chest,
    "abdomen": _chest,
    "head": _head,
    "brain-mr": _brain,
    "hand": _radiograph,
    "knee": _radiograph,
    "pet": _pet,
    "breast": _breasts,
    "ultrasound": _cine,
    "doppler": _cine,
    "thumbnail": _thumbnail,
}
