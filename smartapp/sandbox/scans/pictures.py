"""From an anatomy to the stored pixels of each instance of a series."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smartapp.sandbox.scans.chest import Chest
from smartapp.sandbox.scans.head import HOUNSFIELD, T1, T2, Head, coloured
from smartapp.sandbox.scans.noise import NoisePool
from smartapp.sandbox.scans.radiographs import hand, knee
from smartapp.sandbox.scans.shapes import Plane, blur, grid
from smartapp.sandbox.world import Series, Study

INTERCEPT = -1024
"""RescaleIntercept of the CT scans: stored value = Hounsfield units + 1024."""
SPACING = {"chest": 400 / 512, "head": 230 / 512, "brain-mr": 240 / 256, "hand": 0.28, "knee": 0.28}
"""Millimetres between pixels, by anatomy."""
THICKNESS = {"chest": 1.5, "head": 5.0, "brain-mr": 5.0}
"""Millimetres between slices, by anatomy."""
_SIGMA = {"soft": 14.0, "lung": 48.0, "bone": 62.0, "none": 14.0}
_GRAIN = {"soft": 2, "lung": 1, "bone": 0, "none": 1}


@dataclass(frozen=True)
class Picture:
    """One instance's stored pixels. `number` is the InstanceNumber, from 1; `z` the slice's height in millimetres."""

    series: Series
    number: int
    z: float
    pixels: NDArray[np.int16] | NDArray[np.uint16]


def seeded(*names: str) -> np.random.Generator:
    """A generator whose numbers depend on the names alone."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256("/".join(names).encode()).digest()[:8], "big"))


def pictures(study: Study) -> Iterator[Picture]:
    """Every instance of the study, slice by slice from the head down, so that one body serves all of its series.

    Raises KeyError for an anatomy that nobody has drawn yet.
    """
    return {"chest": _chest, "head": _head, "brain-mr": _brain, "hand": _radiograph, "knee": _radiograph}[
        study.anatomy
    ](study)


def _pools(study: Study, shape: tuple[int, int]) -> dict[str, NoisePool]:
    return {
        series.uid: NoisePool(seeded("noise", series.uid), shape, _SIGMA[series.kernel], _GRAIN[series.kernel])
        for series in study.series
    }


def _heights(study: Study) -> Iterator[tuple[int, float]]:
    count, step = study.series[0].slices, THICKNESS[study.anatomy]
    for index in range(count):
        yield index + 1, (count - 1 - index) * step


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
    chest = Chest(grid(*shape, SPACING["chest"]), seeded("chest", study.uid))
    pools = _pools(study, shape)
    for number, z in _heights(study):
        body = chest.slice_at(z)
        for series in study.series:
            yield Picture(series, number, z, _reconstructed(body, series.kernel, pools[series.uid].cut()))


def _head(study: Study) -> Iterator[Picture]:
    series = study.series[0]
    head = Head(grid(series.rows, series.columns, SPACING["head"]), seeded("head", study.uid))
    noise = NoisePool(seeded("noise", series.uid), (series.rows, series.columns), 3.5, 2)
    for number, z in _heights(study):
        body = coloured(head.slice_at(z), HOUNSFIELD)
        yield Picture(series, number, z, _reconstructed(body, series.kernel, noise.cut()))


def _brain(study: Study) -> Iterator[Picture]:
    shape = (study.series[0].rows, study.series[0].columns)
    head = Head(grid(*shape, SPACING["brain-mr"]), seeded("head", study.uid))
    pools = _pools(study, shape)
    for number, z in _heights(study):
        tissues = head.slice_at(z + 20.0)
        for series, weights in zip(study.series, (T1, T2), strict=True):
            signal = blur(coloured(tissues, weights)) + pools[series.uid].cut()
            yield Picture(series, number, z, np.rint(np.abs(signal)).astype(np.uint16))


def _radiograph(study: Study) -> Iterator[Picture]:
    """12-bit values that grow with what the ray met; the writer turns them round for MONOCHROME1."""
    series = study.series[0]
    plane = grid(series.rows, series.columns, SPACING[study.anatomy])
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
