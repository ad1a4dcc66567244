"""A head, as a map of tissues per slice; CT and MR colour the same map in their own way."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from smartapp.sandbox.scans.shapes import Grid, Mask, Plane, clouds, inside, oval, ramp

Tissues = NDArray[np.uint8]


class Tissue(IntEnum):
    """What a pixel of the head is made of."""

    AIR = 0
    SKIN = 1
    FAT = 2
    CORTICAL_BONE = 3
    DIPLOE = 4
    FLUID = 5
    GREY = 6
    WHITE = 7
    FALX = 8
    MUSCLE = 9
    EYE = 10


HOUNSFIELD = {
    Tissue.AIR: -1000.0, Tissue.SKIN: 45.0, Tissue.FAT: -95.0, Tissue.CORTICAL_BONE: 1150.0, Tissue.DIPLOE: 480.0,
    Tissue.FLUID: 8.0, Tissue.GREY: 39.0, Tissue.WHITE: 28.0, Tissue.FALX: 58.0, Tissue.MUSCLE: 55.0, Tissue.EYE: 15.0,
}  # fmt: skip
T1 = {
    Tissue.AIR: 4.0, Tissue.SKIN: 330.0, Tissue.FAT: 900.0, Tissue.CORTICAL_BONE: 40.0, Tissue.DIPLOE: 420.0,
    Tissue.FLUID: 130.0, Tissue.GREY: 430.0, Tissue.WHITE: 610.0, Tissue.FALX: 260.0, Tissue.MUSCLE: 360.0,
    Tissue.EYE: 150.0,
}  # fmt: skip
T2 = {
    Tissue.AIR: 4.0, Tissue.SKIN: 300.0, Tissue.FAT: 560.0, Tissue.CORTICAL_BONE: 30.0, Tissue.DIPLOE: 260.0,
    Tissue.FLUID: 980.0, Tissue.GREY: 520.0, Tissue.WHITE: 360.0, Tissue.FALX: 180.0, Tissue.MUSCLE: 230.0,
    Tissue.EYE: 950.0,
}  # fmt: skip


def coloured(tissues: Tissues, values: dict[Tissue, float]) -> Plane:
    """The map with each tissue's value in place of its number."""
    table = np.array([values[tissue] for tissue in Tissue], dtype=np.float32)
    return np.asarray(table[tissues], dtype=np.float32)


class Head:
    """Made once per study, then asked for slices; the folds of the brain come from `rng`."""

    def __init__(self, plane: Grid, rng: np.random.Generator) -> None:
        self._plane = plane
        self._folds = [clouds(rng, plane.shape, cells) for cells in (9, 15, 9, 15)]
        self._angle = np.arctan2(plane.y, plane.x).astype(np.float32)

    def slice_at(self, z: float) -> Tissues:
        """The tissues at height `z` millimetres above the skull base (0 to 150)."""
        p = self._plane
        size = float(np.sqrt(max(1.0 - (max(z - 62.0, 0.0) / 98.0) ** 2, 0.02)))
        wide, deep = 77.0 * size, 96.0 * size * (1.0 - 0.08 * ramp(30.0 - z, 0, 30))
        tissues = np.zeros(p.shape, dtype=np.uint8)
        for shrink, tissue in ((0.0, Tissue.SKIN), (2.2, Tissue.FAT), (5.5, Tissue.CORTICAL_BONE), (7.5, Tissue.DIPLOE),
                               (10.8, Tissue.CORTICAL_BONE), (12.8, Tissue.FLUID)):  # fmt: skip
            edge = oval(p, (0.0, 0.0), (wide - shrink, deep - shrink), 2.15)
            _fill(tissues, edge < 1.0, tissue)
        cavity = oval(p, (0.0, 0.0), (wide - 12.8, deep - 12.8), 2.15)
        self._brain(tissues, cavity, z)
        if z < 48.0:
            self._base(tissues, z)
        return tissues

    def _brain(self, tissues: Tissues, cavity: Plane, z: float) -> None:
        p = self._plane
        drift = z / 150.0
        coarse = (1 - drift) * self._folds[0] + drift * self._folds[2]
        fine = (1 - drift) * self._folds[1] + drift * self._folds[3]
        wave = np.sin(9.0 * self._angle + 5.0 * coarse + 2.5 * fine)
        brain = cavity < 0.955 - 0.03 * coarse
        grooves = brain & (np.abs(wave) < 0.16 * (cavity - 0.45)) & (cavity > 0.62)
        ribbon = (cavity > 0.80 + 0.05 * fine) | ((np.abs(wave) < 0.62) & (cavity > 0.56 + 0.08 * fine))
        _fill(tissues, brain, Tissue.WHITE)
        _fill(tissues, brain & ribbon, Tissue.GREY)
        _fill(tissues, grooves, Tissue.FLUID)
        self._deep(tissues, z)
        middle = (cavity < 0.97) & (np.abs(p.x + 1.2 * coarse) < 1.6) & ((np.abs(p.y) > 34.0) | (z > 100.0))
        _fill(tissues, middle & (z > 50.0), Tissue.FLUID)
        _fill(tissues, middle & (np.abs(p.x) < 0.8) & (z > 50.0), Tissue.FALX)

    def _deep(self, tissues: Tissues, z: float) -> None:
        p = self._plane
        near = 1.0 - ((z - 78.0) / 30.0) ** 2
        if near <= 0.0:
            return
        size = float(np.sqrt(near))
        aside = np.abs(p.x)
        _fill(tissues, ((aside - 23.0) / (10.0 * size)) ** 2 + ((p.y - 2.0) / (19.0 * size)) ** 2 < 1.0, Tissue.GREY)
        _fill(tissues, ((aside - 9.0) / (7.0 * size)) ** 2 + ((p.y - 14.0) / (11.0 * size)) ** 2 < 1.0, Tissue.GREY)
        front = aside - (8.0 + 0.28 * np.maximum(-p.y - 8.0, 0.0))
        _fill(tissues, (front / (4.8 * size)) ** 2 + ((p.y + 21.0) / (17.0 * size)) ** 2 < 1.0, Tissue.FLUID)
        back = aside - (15.0 + 0.35 * np.maximum(p.y - 18.0, 0.0))
        _fill(tissues, (back / (5.0 * size)) ** 2 + ((p.y - 36.0) / (17.0 * size)) ** 2 < 1.0, Tissue.FLUID)
        _fill(tissues, (aside / 1.8) ** 2 + ((p.y - 6.0) / 13.0) ** 2 < size, Tissue.FLUID)

    def _base(self, tissues: Tissues, z: float) -> None:
        p = self._plane
        aside = np.abs(p.x)
        ridge = np.abs(p.y - 12.0 + 0.62 * (aside - 34.0))
        petrous = (ridge < 8.0 * ramp(44.0 - z, 0, 20)) & (aside > 12.0) & (aside < 62.0)
        _fill(tissues, petrous, Tissue.CORTICAL_BONE)
        _fill(tissues, petrous & (np.sin(p.x * 1.3) * np.sin(p.y * 1.5) > 0.35) & (aside > 38.0), Tissue.AIR)
        _fill(tissues, inside(p, (0.0, 16.0), (15.0, 13.0)), Tissue.WHITE)
        _fill(tissues, inside(p, (0.0, 33.0), (7.0, 5.0)), Tissue.FLUID)
        self._face(tissues, z)

    def _face(self, tissues: Tissues, z: float) -> None:
        p = self._plane
        aside = np.abs(p.x)
        socket = ((aside - 31.0) / 20.0) ** 2 + ((p.y + 64.0) / 24.0) ** 2
        if z < 36.0:
            _fill(tissues, socket < 1.0, Tissue.CORTICAL_BONE)
            _fill(tissues, socket < 0.82, Tissue.FAT)
            _fill(tissues, (np.abs(aside - 31.0) < 2.2) & (socket < 0.7), Tissue.MUSCLE)
            _fill(tissues, ((aside - 31.0) / 12.0) ** 2 + ((p.y + 72.0) / 12.0) ** 2 < 1.0, Tissue.EYE)
        nose = (aside < 10.0) & (p.y < -38.0) & (p.y > -84.0)
        _fill(tissues, nose & (z < 40.0), Tissue.CORTICAL_BONE)
        cells = nose & (aside < 8.6) & (p.y > -82.0) & (np.mod(p.y, 11.0) > 1.4) & (np.abs(aside - 0.0) > 0.8)
        _fill(tissues, cells & (z < 38.0), Tissue.AIR)
        _fill(tissues, inside(p, (0.0, -28.0), (13.0, 9.0)) & (z < 26.0), Tissue.CORTICAL_BONE)
        _fill(tissues, inside(p, (0.0, -28.0), (11.0, 7.2)) & (z < 24.0), Tissue.AIR)


def _fill(tissues: Tissues, where: Mask, tissue: Tissue) -> None:
    tissues[where] = tissue
