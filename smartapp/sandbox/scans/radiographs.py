"""Radiographs of a hand and a knee: bones as tubes of varying width, added up along the ray (Beer and Lambert)."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from smartapp.sandbox.scans.shapes import Grid, Plane, clouds

_BONE_LOSS, _SOFT_LOSS = 0.055, 0.0115


@dataclass(frozen=True)
class Tube:
    """A long bone (or a part of flesh) from `start` to `end`: radii at start, in the middle and at the end, in mm."""

    start: tuple[float, float]
    end: tuple[float, float]
    radii: tuple[float, float, float]
    wall: float = 0.0


def hand(plane: Grid, rng: np.random.Generator, *, oblique: bool, right: bool) -> Plane:
    """How much each ray is weakened (the logarithm) through a hand, fingers up."""
    lean, squeeze = (0.16, 0.86) if oblique else (0.0, 1.0)
    mirror = -1.0 if right else 1.0

    def placed(x: float, y: float) -> tuple[float, float]:
        return mirror * (squeeze * x + lean * (y - 40.0)), y

    bones = [Tube(placed(*t.start), placed(*t.end), t.radii, t.wall) for t in _hand_bones()]
    flesh = [Tube(placed(*t.start), placed(*t.end), t.radii) for t in _hand_flesh()]
    return _through(plane, rng, bones, flesh)


def _hand_bones() -> Iterable[Tube]:
    for (knuckle_x, knuckle_y), lean, lengths, thick in (
        ((27.0, 2.0), 0.20, (40.0, 24.0, 17.0), 1.0),
        ((9.0, -4.0), 0.05, (45.0, 28.0, 18.0), 1.04),
        ((-9.0, -1.0), -0.07, (41.0, 26.0, 18.0), 1.0),
        ((-25.0, 9.0), -0.21, (32.0, 19.0, 16.0), 0.86),
    ):
        yield Tube((knuckle_x * 0.5, 58.0), (knuckle_x, knuckle_y + 3.0), (6.2 * thick, 4.1 * thick, 6.6 * thick), 1.6)
        x, y = knuckle_x + lean * 4, knuckle_y - 4.5
        for n, length in enumerate(lengths):
            tip = (x + lean * (length - 3.0), y - (length - 3.0))
            wide = thick * (6.0 - 1.1 * n)
            yield Tube((x, y), tip, (wide, wide * 0.62, wide * (0.84 if n < 2 else 0.7)), 1.5)
            x, y = x + lean * (length + 1.5), y - (length + 1.5)
    yield Tube((22.0, 66.0), (44.0, 34.0), (7.2, 4.9, 7.0), 1.7)
    yield Tube((47.0, 29.0), (61.0, 4.0), (6.4, 4.2, 5.6), 1.6)
    yield Tube((63.0, -1.0), (71.0, -18.0), (5.6, 3.6, 4.0), 1.4)
    for x, y, wide in ((18.0, 73.0, 7.5), (7.5, 68.0, 7.0), (-2.5, 67.0, 8.0), (-13.5, 68.0, 7.5),
                       (13.0, 84.0, 8.5), (0.0, 81.0, 8.0), (-11.0, 79.0, 7.0), (-13.5, 76.0, 4.6)):  # fmt: skip
        yield Tube((x - 1.2, y - 1.0), (x + 1.2, y + 1.0), (wide, wide, wide), 1.1)
    yield Tube((8.0, 97.0), (6.0, 150.0), (14.0, 8.4, 8.0), 2.2)
    yield Tube((-18.0, 98.0), (-15.0, 150.0), (7.4, 5.6, 6.2), 1.9)


def _hand_flesh() -> Iterable[Tube]:
    for (x, y), lean, length in (((27.0, 2.0), 0.20, 84.0), ((9.0, -4.0), 0.05, 94.0),
                                 ((-9.0, -1.0), -0.07, 88.0), ((-25.0, 9.0), -0.21, 70.0)):  # fmt: skip
        yield Tube((x * 0.9, y + 20.0), (x + lean * length, y - length), (10.5, 9.4, 7.6))
    yield Tube((26.0, 62.0), (71.5, -19.0), (15.0, 11.5, 9.4))
    for x in (-22.0, -10.0, 2.0, 14.0, 24.0):
        yield Tube((x * 0.8, 84.0), (x, 8.0), (13.5, 14.5, 12.5))
    yield Tube((-4.0, 78.0), (-4.0, 170.0), (27.0, 26.0, 30.0))


def knee(plane: Grid, rng: np.random.Generator, *, right: bool) -> Plane:
    """How much each ray is weakened through a knee from the front, the thigh above."""
    m = -1.0 if right else 1.0
    bones = [
        Tube((4.0 * m, -150.0), (1.0 * m, -38.0), (15.0, 15.5, 25.0), 5.0),
        Tube((-19.0 * m, -24.0), (-17.0 * m, -17.0), (21.0, 21.5, 20.0), 1.8),
        Tube((20.0 * m, -23.0), (19.0 * m, -18.0), (19.5, 20.5, 19.5), 1.8),
        Tube((-20.0 * m, 17.0), (20.0 * m, 17.0), (16.5, 15.0, 16.5), 1.8),
        Tube((0.0, 26.0), (2.0 * m, 150.0), (30.0, 14.0, 13.0), 4.6),
        Tube((35.0 * m, 32.0), (30.0 * m, 150.0), (9.0, 5.6, 5.2), 2.2),
        Tube((-3.0 * m, 4.0), (-2.0 * m, -1.0), (4.0, 3.4, 2.2), 0.8),
        Tube((2.0 * m, -36.0), (1.5 * m, -28.0), (20.0, 21.0, 18.0), 1.2),
    ]
    flesh = [
        Tube((2.0 * m, -190.0), (0.0, -5.0), (70.0, 62.0, 52.0)),
        Tube((0.0, -10.0), (4.0 * m, 190.0), (52.0, 57.0, 50.0)),
    ]
    return _through(plane, rng, bones, flesh)


def _through(plane: Grid, rng: np.random.Generator, bones: Iterable[Tube], flesh: Iterable[Tube]) -> Plane:
    grain = 0.66 * (1.0 + 0.06 * clouds(rng, plane.shape, 110) + 0.05 * clouds(rng, plane.shape, 220))
    streaks = 1.0 + 0.05 * clouds(rng, plane.shape, 14)
    soft, deepest, added = (np.zeros(plane.shape, dtype=np.float32) for _ in range(3))
    for tube in flesh:
        window, near = _near(plane, tube)
        np.maximum(soft[window], _path(near, tube, 0.0), out=soft[window])
    for tube in bones:
        window, near = _near(plane, tube)
        bone = np.minimum(_path(near, tube, 0.0) - grain[window] * _path(near, tube, tube.wall), 22.0)
        np.maximum(deepest[window], bone, out=deepest[window])
        added[window] += np.maximum(bone, 0.0)
    total = _SOFT_LOSS * soft * streaks + _BONE_LOSS * (deepest + 0.25 * (added - deepest))
    return np.asarray(total, dtype=np.float32)


def _near(plane: Grid, tube: Tube) -> tuple[tuple[slice, slice], Grid]:
    """The part of the plane that the tube can reach: most bones are small and the plane is large."""
    reach = max(tube.radii)
    rows = _span(plane.y[:, 0], (tube.start[1], tube.end[1]), reach)
    columns = _span(plane.x[0], (tube.start[0], tube.end[0]), reach)
    return (rows, columns), Grid(plane.x[:, columns], plane.y[rows], plane.spacing)


def _span(axis: Plane, ends: tuple[float, float], reach: float) -> slice:
    first, last = np.searchsorted(axis, [min(ends) - reach, max(ends) + reach])
    return slice(int(first), int(last))


def _path(plane: Grid, tube: Tube, wall: float) -> Plane:
    """The way of the ray through the tube, in millimetres: the chord of a circle at the distance from its axis."""
    (x0, y0), (x1, y1) = tube.start, tube.end
    dx, dy = x1 - x0, y1 - y0
    across, down = plane.x - np.float32(x0), plane.y - np.float32(y0)
    along = np.clip((across * dx + down * dy) / (dx * dx + dy * dy), 0.0, 1.0).astype(np.float32)
    off = (across - along * np.float32(dx)) ** 2 + (down - along * np.float32(dy)) ** 2
    first, middle, last = (np.float32(radius) for radius in tube.radii)
    flare = np.abs(2 * along - 1) ** 3
    radius = np.maximum(middle + flare * np.where(along < 0.5, first - middle, last - middle) - np.float32(wall), 0)
    return np.asarray(2 * np.sqrt(np.maximum(radius * radius - off, 0)), dtype=np.float32)
