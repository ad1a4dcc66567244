"""What a slice should look like: from the file itself, through PS3.3 §C.11.2.1.2, to the size on the screen."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import cast

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page

from smartapp.sandbox.scans.cache import default_cache, scans
from smartapp.sandbox.world import Study, build_world

Grey = NDArray[np.float64]


def slice_file(study: Study, series: int, number: int) -> Path:
    """The file of a slice in viewing order (from 1), as the sandbox's PACS holds it."""
    root = scans(build_world(), default_cache(Path("var")))
    folder = next(root.rglob(study.series[series].uid))
    files = (pydicom.dcmread(path, stop_before_pixels=True) for path in folder.glob("*.dcm"))
    return next(Path(str(f.filename)) for f in files if f.InstanceNumber == number)


def expected(path: Path, window: tuple[float, float], size: int) -> Grey:
    """Greys 0 to 255 of the slice, drawn `size` pixels square."""
    dataset = pydicom.dcmread(path)
    hounsfield = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    centre, width = window
    grey = np.clip(((hounsfield - (centre - 0.5)) / (width - 1) + 0.5) * 255, 0, 255)
    picture = Image.fromarray(grey.astype(np.uint8)).resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(picture, dtype=np.float64)


def on_screen(page: Page) -> Grey:
    """The greys of the viewer's canvas, cut to the square in its middle in which a square picture is drawn."""
    url = cast("str", page.eval_on_selector("#viewer-canvas", "canvas => canvas.toDataURL('image/png')"))
    picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("L")
    size = min(picture.size)
    left, top = (picture.width - size) // 2, (picture.height - size) // 2
    return np.asarray(picture.crop((left, top, left + size, top + size)), dtype=np.float64)


def difference(one: Grey, other: Grey) -> float:
    """The mean difference in grey levels."""
    return float(np.abs(one - other).mean())
