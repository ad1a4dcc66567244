"""Noise from a pool: one large grainy field per reconstruction, cut at another place for each slice.

Drawing fresh noise for 600 slices costs more than all the anatomy; a cut costs nothing and compresses as badly.
"""

import numpy as np

from smartapp.sandbox.scans.shapes import Plane, blur

_MARGIN = 512


class NoisePool:
    """Noise of standard deviation `sigma` for planes of `shape`; `grain` blurs it as a smooth kernel does."""

    def __init__(self, rng: np.random.Generator, shape: tuple[int, int], sigma: float, grain: int) -> None:
        field = rng.standard_normal((shape[0] + _MARGIN, shape[1] + _MARGIN), dtype=np.float32)
        for _ in range(grain):
            field = blur(field)
        self._field: Plane = field * np.float32(sigma / float(field.std()))
        self._shape = shape
        self._rng = rng

    def cut(self) -> Plane:
        """The next plane of noise: a view into the pool, not to be written to."""
        top, left = (int(n) for n in self._rng.integers(0, _MARGIN, 2))
        return self._field[top : top + self._shape[0], left : left + self._shape[1]]
