"""Shapes in millimetres on a pixel grid: the strokes that the anatomies are drawn with."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Grid:
    """Pixel centres in millimetres: `x` is one row, `y` one column, so that sums broadcast to the whole plane."""

    x: Plane
    y: Plane
    spacing: float

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.y.shape[0], self.x.shape[1]


def grid(rows: int, columns: int, spacing: float) -> Grid:
    """A plane of `rows` × `columns` pixels of `spacing` millimetres around the origin."""
    x = (np.arange(columns, dtype=np.float32) - (columns - 1) / 2) * spacing
    y = (np.arange(rows, dtype=np.float32) - (rows - 1) / 2) * spacing
    return Grid(x[np.newaxis, :].astype(np.float32), y[:, np.newaxis].astype(np.float32), spacing)


def oval(plane: Grid, center: tuple[float, float], radii: tuple[float, float], power: float = 2.0) -> Plane:
    """The oval's own distance: 0 at its centre, 1 on its edge. `power` above 2 squares the shape off."""
    across = np.abs((plane.x - center[0]) / max(radii[0], 0.01)) ** power
    down = np.abs((plane.y - center[1]) / max(radii[1], 0.01)) ** power
    return np.asarray(across + down, dtype=np.float32)


def inside(plane: Grid, center: tuple[float, float], radii: tuple[float, float]) -> Mask:
    """The pixels within an ellipse."""
    return oval(plane, center, radii) < 1.0


def ramp(value: float, start: float, end: float) -> float:
    """0 up to `start`, 1 from `end` on, smooth between."""
    t = min(max((value - start) / (end - start), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


def paint(image: Plane, where: Mask, value: float | Plane) -> None:
    """Sets the pixels of `where` to `value`, in place."""
    np.copyto(image, np.asarray(value, dtype=np.float32), where=where)


def blur(image: Plane) -> Plane:
    """A 1-2-1 blur along rows and columns; the outermost pixels keep their value along that axis."""
    rows = image.copy()
    rows[1:-1] = 0.5 * image[1:-1] + 0.25 * (image[:-2] + image[2:])
    both = rows.copy()
    both[:, 1:-1] = 0.5 * rows[:, 1:-1] + 0.25 * (rows[:, :-2] + rows[:, 2:])
    return both


def clouds(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> Plane:
    """A smooth random field with values around -1 to 1 and about `cells` hills along each axis."""
    coarse = rng.standard_normal((cells + 2, cells + 2)).astype(np.float32)
    rows = np.linspace(0, cells, shape[0], dtype=np.float32)
    columns = np.linspace(0, cells, shape[1], dtype=np.float32)
    r, c = rows.astype(int), columns.astype(int)
    fr, fc = _eased(rows - r)[:, np.newaxis], _eased(columns - c)[np.newaxis, :]
    top = coarse[r][:, c] * (1 - fc) + coarse[r][:, c + 1] * fc
    bottom = coarse[r + 1][:, c] * (1 - fc) + coarse[r + 1][:, c + 1] * fc
    return np.asarray(0.6 * (top * (1 - fr) + bottom * fr), dtype=np.float32)


def _eased(t: Plane) -> Plane:
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)
