"""A chest for CT, in Hounsfield units: x to the patient's left, y to the back, z to the head, all in millimetres."""

import numpy as np

from smartapp.sandbox.scans.shapes import Grid, Mask, Plane, clouds, inside, oval, paint, ramp
from smartapp.sandbox.scans.vessels import cut_beads, lung_tree

AIR, LUNG, FAT, SOFT, BLOOD, CORTEX, MARROW = -1000.0, -850.0, -100.0, 40.0, 45.0, 900.0, 250.0
NODULE = (-72.0, -12.0, 231.0)
NODULE_RADIUS = 2.5
_RIB_EVERY = 25.0


class Chest:
    """Made once per study (the vessels and the maps cost a second), then asked for slices."""

    def __init__(self, plane: Grid, rng: np.random.Generator) -> None:
        self._plane = plane
        self._beads = np.concatenate([lung_tree(rng, -1.0), lung_tree(rng, 1.0)])
        self._texture = 9.0 * clouds(rng, plane.shape, 40) + 9.0 * clouds(rng, plane.shape, 90)
        self._mottle = 22.0 * clouds(rng, plane.shape, 60) + 18.0 * clouds(rng, plane.shape, 150)
        around = np.arctan2(np.abs(plane.x), plane.y * 1.55)
        self._around = around.astype(np.float32)
        self._rib_drop = (np.sin(np.minimum(around, 2.6) * 0.6) * 78.0).astype(np.float32)
        self._domes = self._dome(-68.0, 112.0), self._dome(74.0, 96.0)

    def _dome(self, x: float, top: float) -> Plane:
        p = self._plane
        return np.asarray(top - 85.0 * ((p.x - x) / 78.0) ** 2 - 75.0 * ((p.y + 8.0) / 82.0) ** 2, dtype=np.float32)

    def slice_at(self, z: float) -> Plane:
        """The Hounsfield units of the slice at height `z` (0 to 300)."""
        p = self._plane
        image = np.full(p.shape, AIR, dtype=np.float32)
        wide, deep = 172.0 - 46.0 * ramp(z, 235, 300), 112.0 - 20.0 * ramp(z, 235, 300)
        depth = oval(p, (0.0, 0.0), (wide, deep), 2.3)
        self._table(image)
        paint(image, depth < 1.0, FAT + 0.4 * self._texture)
        paint(image, (depth < 0.985) & (depth > 0.955) & (self._around < 0.35), SOFT)
        paint(image, depth < 0.80, SOFT + self._texture)
        self._wall(image, depth, z)
        cavity = depth < 0.545
        paint(image, cavity, FAT + 0.4 * self._texture)
        self._belly(image, cavity, z)
        lungs = self._lungs(cavity, z)
        self._fill_lungs(image, lungs, z)
        self._middle(image, z)
        self._bones(image, z)
        return image

    def _table(self, image: Plane) -> None:
        p = self._plane
        height = p.y - (116.0 - 14.0 * (p.x / 190.0) ** 2)
        under = (np.abs(p.x) < 188.0) & (height > 0.0)
        paint(image, under & (height < 22.0), -880.0)
        paint(image, under & ((height < 1.6) | ((height > 20.4) & (height < 22.0))), -150.0)

    def _wall(self, image: Plane, depth: Plane, z: float) -> None:
        band = (depth > 0.575) & (depth < 0.70)
        paint(image, (depth > 0.70) & (depth < 0.715), FAT)
        phase = np.abs(np.mod(z + self._rib_drop, _RIB_EVERY) - _RIB_EVERY / 2)
        rib = band & (phase < 6.0) & (self._around > 0.22) & (self._around < 2.55)
        shell = (phase > 4.2) | (depth < 0.60) | (depth > 0.675)
        paint(image, band & (phase >= 6.0), SOFT - 12.0 + self._texture)
        paint(image, rib & ~shell, MARROW + self._texture)
        paint(image, rib & shell, CORTEX)
        paint(image, band & (phase < 6.0) & (self._around >= 2.55), 110.0)

    def _belly(self, image: Plane, cavity: Mask, z: float) -> None:
        p = self._plane
        right, left = self._domes
        paint(image, cavity & (right > z - 3.0), 35.0)
        paint(image, cavity & (left > z - 3.0), 35.0)
        paint(image, cavity & (right > z) & (p.x < 30.0), 58.0 + self._texture)
        fatty = cavity & (left > z) & (p.x > 5.0)
        paint(image, fatty, FAT)
        paint(image, fatty & inside(p, (82.0, 35.0), (34.0, 38.0)), 50.0 + self._texture)
        stomach = fatty & inside(p, (62.0, -32.0), (44.0, 36.0))
        paint(image, stomach, 38.0)
        paint(image, fatty & inside(p, (62.0, -32.0), (40.0, 32.0)), np.where(p.y < -44.0, -950.0, 12.0 + 0 * p.x))

    def _lungs(self, cavity: Mask, z: float) -> Mask:
        p = self._plane
        swell = float(np.sqrt(max(1.0 - (max(z - 175.0, 0.0) / 115.0) ** 2, 0.0)))
        right, left = self._domes
        lobes = inside(p, (-70.0, 6.0), (72.0 * swell, 92.0 * swell)) & (right < z - 5.0)
        lobes |= inside(p, (72.0, 6.0), (70.0 * swell, 92.0 * swell)) & (left < z - 5.0)
        middle = oval(p, (0.0, -20.0), (30.0, 78.0)) < 1.0
        spine = inside(p, (0.0, 68.0), (30.0, 30.0))
        return cavity & lobes & ~middle & ~spine & ~self._heart(z, 4.0)

    def _heart(self, z: float, rim: float) -> Mask:
        size = 1.0 - ((z - 112.0) / (56.0 + rim)) ** 2
        if size <= 0.0:
            return np.zeros(self._plane.shape, dtype=np.bool_)
        scale = float(np.sqrt(size))
        p = self._plane
        turned_x, turned_y = (p.x - 22.0) * 0.88 - (p.y + 26.0) * 0.47, (p.x - 22.0) * 0.47 + (p.y + 26.0) * 0.88
        far = (turned_x / ((54.0 + rim) * scale)) ** 2 + (turned_y / ((44.0 + rim) * scale)) ** 2
        return np.asarray(far < 1.0)

    def _fill_lungs(self, image: Plane, lungs: Mask, z: float) -> None:
        p = self._plane
        heavier_behind = 0.3 * p.y
        paint(image, lungs, LUNG + self._mottle + heavier_behind)
        filled = cut_beads(p, self._beads, z)
        off = float(NODULE_RADIUS**2 - (z - NODULE[2]) ** 2)
        if off > 0:
            filled = np.maximum(filled, cut_beads(p, np.array([[*NODULE, NODULE_RADIUS]], dtype=np.float32), z))
        paint(image, lungs & (filled > 0), image + filled * (BLOOD - LUNG))

    def _middle(self, image: Plane, z: float) -> None:
        p = self._plane
        paint(image, self._heart(z, 0.0), BLOOD + 0.5 * self._texture)
        if z > 120.0:
            self._great_vessels(image, z)
        if z < 205.0:
            paint(image, inside(p, (24.0, 46.0), (12.5, 12.5)), BLOOD)
        paint(image, inside(p, (7.0, 36.0), (7.0, 6.0)), 35.0)
        paint(image, inside(p, (7.0, 36.0), (2.5, 1.6)), -600.0)
        self._airways(image, z)

    def _great_vessels(self, image: Plane, z: float) -> None:
        p = self._plane
        if z < 212.0:
            paint(image, inside(p, (-12.0, -24.0), (16.0, 16.0)), BLOOD)
        if 130.0 < z < 240.0:
            paint(image, inside(p, (-33.0, -16.0), (9.0, 10.0)), BLOOD)
        if 202.0 < z < 222.0:
            slope = np.abs((p.x - 8.0) + 0.35 * (p.y - 8.0))
            paint(image, (slope < 13.0) & (np.abs(p.y - 8.0) < 42.0), BLOOD)
        if 160.0 < z < 184.0:
            paint(image, inside(p, (18.0, -22.0), (15.0, 14.0)), BLOOD)
            paint(image, inside(p, (-4.0, -2.0), (38.0, 8.0)), BLOOD)
        if z > 222.0:
            for x, y in ((-16.0, -18.0), (9.0, -14.0), (19.0, 2.0), (-30.0, -24.0), (27.0, -24.0)):
                paint(image, inside(p, (x, y), (6.0, 6.0)), BLOOD)
        if z > 262.0:
            for x in (-18.0, 18.0):
                paint(image, inside(p, (x, -14.0), (9.0, 13.0)), 95.0)

    def _airways(self, image: Plane, z: float) -> None:
        p = self._plane
        if z > 188.0:
            paint(image, inside(p, (-2.0, 10.0), (10.0, 10.0)), SOFT)
            paint(image, inside(p, (-2.0, 10.0), (8.4, 8.6)), AIR)
            return
        if z < 140.0:
            return
        down = (188.0 - z) / 48.0
        for side, radius in ((-1.0, 7.0), (1.0, 6.0)):
            center = (-2.0 + side * (7.0 + 30.0 * down), 12.0 + 8.0 * down)
            paint(image, inside(p, center, (radius + 1.6, radius + 1.6)), SOFT)
            paint(image, inside(p, center, (radius, radius)), AIR)

    def _bones(self, image: Plane, z: float) -> None:
        self._vertebra(image, z)
        self._sternum(image, z)
        if z > 165.0:
            self._shoulder_blades(image, z)
        if z > 258.0:
            self._collarbones(image, z)

    def _vertebra(self, image: Plane, z: float) -> None:
        p = self._plane
        level = float(np.mod(z, 25.0))
        paint(image, inside(p, (0.0, 84.0), (34.0, 17.0)), SOFT + self._texture)
        if level > 9.0:
            paint(image, inside(p, (0.0, 89.0), (17.0, 14.0)), CORTEX)
            paint(image, inside(p, (0.0, 89.0), (14.5, 11.5)), MARROW)
            wing = np.abs(p.y - 84.0 - 0.25 * np.abs(p.x))
            paint(image, (np.abs(p.x) < 33.0) & (np.abs(p.x) > 12.0) & (wing < 5.0), CORTEX)
            paint(image, (np.abs(p.x) < 31.5) & (np.abs(p.x) > 12.0) & (wing < 3.2), MARROW)
        paint(image, inside(p, (0.0, 101.0), (3.4, 9.0)), 600.0)
        wide = 19.0 if level > 5.0 else 20.0
        paint(image, inside(p, (0.0, 64.0), (wide, 15.5)), CORTEX - 200.0 if level > 5.0 else 85.0)
        if level > 6.5:
            paint(image, inside(p, (0.0, 64.0), (wide - 1.8, 13.7)), 190.0 + 2.0 * self._texture)
        paint(image, inside(p, (0.0, 86.0), (9.5, 8.5)), 12.0)
        paint(image, inside(p, (0.0, 86.0), (5.5, 4.5)), 38.0)

    def _sternum(self, image: Plane, z: float) -> None:
        p = self._plane
        if not 95.0 < z < 252.0:
            return
        wide = 15.0 + 12.0 * ramp(z, 200, 240)
        y = -89.0 + 10.0 * ramp(z, 215, 260)
        paint(image, inside(p, (0.0, y), (wide, 6.5)), CORTEX - 250.0)
        paint(image, inside(p, (0.0, y), (wide - 2.2, 4.4)), MARROW - 80.0)

    def _shoulder_blades(self, image: Plane, z: float) -> None:
        p = self._plane
        reach = 34.0 * ramp(z, 165, 235)
        along = np.abs(p.x) - 113.0
        off = p.y - 74.0 + 0.6 * along + 0.006 * along**2
        blade = (np.abs(along) < reach) & (np.abs(off) < 4.2) & (image > -400.0)
        paint(image, blade, CORTEX - 100.0)
        paint(image, blade & (np.abs(off) < 2.0) & (np.abs(along) < reach - 3.0), MARROW)

    def _collarbones(self, image: Plane, z: float) -> None:
        p = self._plane
        along = np.abs(p.x) - (40.0 + 1.5 * (z - 262.0))
        off = p.y + 52.0 - 0.22 * along
        far = (along / 34.0) ** 2 + (off / 6.5) ** 2
        paint(image, far < 1.0, CORTEX)
        paint(image, far < 0.6, MARROW)
