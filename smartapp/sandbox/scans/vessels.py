"""The branching vessels of the lungs, as beads in space that each slice cuts through."""

import numpy as np
from numpy.typing import NDArray

from smartapp.sandbox.scans.shapes import Grid, Plane

_GENERATIONS = 6
_THINNEST = 0.6


def lung_tree(rng: np.random.Generator, side: float) -> NDArray[np.float32]:
    """Beads (x, y, z, radius in millimetres) of one lung's vessels; `side` is -1 for the right lung, 1 for the left."""
    beads: list[NDArray[np.float32]] = []
    hilum = np.array([side * 36.0, 12.0, 160.0])
    for _ in range(26):
        direction = _unit(np.array([side * rng.uniform(0.1, 1.0), rng.normal(0, 0.8), rng.normal(0.1, 1.1)]))
        _grow(rng, beads, hilum + rng.normal(0, 5.0, 3), direction, 4.2, 0)
    return np.concatenate(beads)


def _grow(
    rng: np.random.Generator,
    beads: list[NDArray[np.float32]],
    start: NDArray[np.float64],
    direction: NDArray[np.float64],
    radius: float,
    generation: int,
) -> None:
    length = rng.uniform(17.0, 30.0) * 0.93**generation
    steps = np.arange(0.0, length, max(0.9 * radius, 0.9))[:, np.newaxis]
    bend = rng.normal(0, 0.004, 3)
    points = start + steps * direction + steps**2 * bend
    thickness = np.linspace(radius, 0.82 * radius, len(points))[:, np.newaxis]
    beads.append(np.hstack([points, thickness]).astype(np.float32))
    if generation == _GENERATIONS or radius * 0.7 < _THINNEST:
        return
    for _ in range(2):
        turned = _unit(direction + rng.normal(0, 0.42, 3))
        _grow(rng, beads, points[-1], turned, radius * rng.uniform(0.66, 0.8), generation + 1)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / np.linalg.norm(vector)


def cut_beads(plane: Grid, beads: NDArray[np.float32], z: float) -> Plane:
    """How much of each pixel the beads fill at height `z`: 0 none, 1 all."""
    filled = np.zeros(plane.shape, dtype=np.float32)
    reach = beads[:, 3] ** 2 - (beads[:, 2] - z) ** 2
    left, top = float(plane.x[0, 0]), float(plane.y[0, 0])
    for (x, y, _, _), squared in zip(beads[reach > 0], reach[reach > 0], strict=True):
        radius = float(np.sqrt(squared)) / plane.spacing
        column, row = (x - left) / plane.spacing, (y - top) / plane.spacing
        _disc(filled, row, column, radius)
    return filled


def _disc(filled: Plane, row: float, column: float, radius: float) -> None:
    reach = int(radius) + 2
    r0, c0 = max(int(row) - reach, 0), max(int(column) - reach, 0)
    patch = filled[r0 : int(row) + reach + 1, c0 : int(column) + reach + 1]
    if patch.size == 0:
        return
    down = np.arange(r0, r0 + patch.shape[0], dtype=np.float32)[:, np.newaxis] - np.float32(row)
    across = np.arange(c0, c0 + patch.shape[1], dtype=np.float32)[np.newaxis, :] - np.float32(column)
    edge = np.minimum(radius + 0.5 - np.sqrt(down * down + across * across), 1.0)
    np.maximum(patch, edge, out=patch)
