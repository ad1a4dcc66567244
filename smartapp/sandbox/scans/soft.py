"""Soft tissue as PET, mammography and ultrasound show it."""

import numpy as np
from numpy.typing import NDArray

from smartapp.sandbox.scans.shapes import Grid, Plane, blur, clouds, inside, oval

Video = NDArray[np.uint8]


def uptake(plane: Grid, rng: np.random.Generator, z: float) -> NDArray[np.uint16]:
    """Where the sugar went at height `z`: body, heart muscle and liver, with the noise of few counts. At most 32767."""
    body = np.where(inside(plane, (0.0, 0.0), (172.0, 112.0)), 1500.0, 60.0)
    heart = inside(plane, (25.0, -25.0), (45.0, 38.0)) & ~inside(plane, (25.0, -25.0), (24.0, 20.0))
    body[heart] = 9000.0
    if z < 125.0:
        body[inside(plane, (-60.0, 0.0), (60.0, 70.0))] = 3600.0
    counts = rng.poisson(np.asarray(blur(blur(body.astype(np.float32))) / 50.0)) * 50.0
    return np.asarray(np.clip(counts, 0, 32767), dtype=np.uint16)


def breast(plane: Grid, rng: np.random.Generator, *, right: bool, oblique: bool) -> NDArray[np.uint16]:
    """12-bit values of one view; the chest wall is at the edge where the view has it (PS3.3 §C.8.11.7)."""
    side = -1.0 if right else 1.0
    wall = -side * float(np.abs(plane.x).max())
    reach = (150.0, 100.0) if oblique else (135.0, 88.0)
    depth = oval(plane, (wall, 0.0), reach, 2.2)
    gland = np.exp(-oval(plane, (wall + side * 60.0, 0.0), (55.0, 50.0))) * (1.0 + 0.4 * clouds(rng, plane.shape, 22))
    threads = np.abs(clouds(rng, plane.shape, 40)) ** 0.5
    thickness = np.sqrt(np.clip(1.0 - depth, 0.0, 1.0))
    values = 120.0 + thickness * (900.0 + 1700.0 * gland + 320.0 * threads)
    if oblique:
        muscle = (np.abs(plane.x - wall) + 0.75 * (plane.y + 110.0) < 70.0) & (depth < 1.0)
        values = np.where(muscle, 2900.0, values)
    return np.asarray(np.clip(np.rint(values), 0, 4095), dtype=np.uint16)


def fan(frames: int, shape: tuple[int, int], rng: np.random.Generator) -> Video:
    """Frames × rows × columns of grey echo: a fan of speckle with a dark hollow that beats."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    across, down = x - shape[1] / 2, y + 0.12 * shape[0]
    radius, angle = np.hypot(across, down), np.arctan2(across, down)
    seen = (np.abs(angle) < 0.62) & (radius > 0.22 * shape[0]) & (radius < 1.1 * shape[0])
    speckle = blur(rng.rayleigh(1.0, shape).astype(np.float32)) * (1.0 + 0.35 * clouds(rng, shape, 12))
    layers = 1.0 + 0.3 * np.sin(radius / shape[0] * 26.0)
    fade = np.exp(-radius / shape[0] * 0.9)
    return np.stack(
        [_beat(frame / frames, (across, y / shape[0]), speckle * layers * fade, seen) for frame in range(frames)]
    )


def _beat(phase: float, at: tuple[Plane, Plane], echo: Plane, seen: NDArray[np.bool_]) -> Video:
    size = 1.0 + 0.22 * np.sin(2 * np.pi * phase)
    hollow = (at[0] / (34.0 * size)) ** 2 + ((at[1] - 0.55) / (0.17 * size)) ** 2
    grey = np.where(hollow < 1.0, 0.12, np.where(hollow < 1.45, 1.7, 1.0)) * echo * 150.0
    return np.asarray(np.where(seen, np.clip(grey, 2, 255), 0), dtype=np.uint8)


def doppler(grey: Video) -> Video:
    """Frames × rows × columns × RGB: the same with flow in red towards the probe and blue away from it."""
    frames, rows, columns = grey.shape
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    inflow = ((x - columns * 0.46) / 12.0) ** 2 + ((y - rows * 0.56) / 26.0) ** 2 < 1.0
    outflow = ((x - columns * 0.55) / 9.0) ** 2 + ((y - rows * 0.50) / 20.0) ** 2 < 1.0
    coloured = np.repeat(grey[..., np.newaxis], 3, axis=3)
    for frame in range(frames):
        strength = np.sin(2 * np.pi * frame / frames)
        colour = (230, 60, 20) if strength > 0 else (30, 80, 235)
        where = inflow if strength > 0 else outflow
        coloured[frame][where] = np.asarray(np.abs(strength) * np.array(colour), dtype=np.uint8)
    return coloured
