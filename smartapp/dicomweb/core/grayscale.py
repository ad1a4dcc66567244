"""From stored values to greys: modality, values of interest, presentation (PS3.3 §C.11, PS3.4 §N.2).

The transformations are computed once for every value that can be stored, and the pixels are looked up in the result:
a slice has four times as many pixels as a 16-bit table has entries.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from smartapp.dicomweb.core.facts import RefusedError
from smartapp.dicomweb.core.pixels import Image, Pixels

Floats = NDArray[np.float64]
Window = tuple[float, float, str]

WHITE: Final = 255.0


def greys(image: Image, pixels: Pixels, index: int, window: Window | None) -> NDArray[np.uint8]:
    """`pixels` of frame `index` as 8-bit greys, 0 is black. Without a `window` the object's own is taken."""
    bits = pixels.dtype.itemsize * 8
    if bits > 16:
        return _present(image, pixels, pixels, index, window)
    stored = min(bits, image.stored)
    values = np.arange(2**stored, dtype=np.int64)
    if image.signed:
        values -= (values >> (stored - 1)) << stored
    # Bits above those stored were once used for overlays (PS3.5 §8.1.2), and are no part of the value.
    codes = pixels.view(f"u{bits // 8}") & np.array(2**stored - 1, f"u{bits // 8}")
    shown: NDArray[np.uint8] = np.take(_present(image, values, codes, index, window), codes)
    return shown


def _present(
    image: Image, values: NDArray[Any], pixels: Pixels, index: int, window: Window | None
) -> NDArray[np.uint8]:
    """What `values` look like. `pixels`, indexes of them, are read only if nothing says what range to show."""
    padding = _padding(image.data, values)
    meaning = _modality(image, values, index)
    window = window or _own_window(image.data, index)
    lut = image.data.get("VOILUTSequence")
    if window is not None:
        seen = apply_window(meaning, window)
    elif lut:
        table, top = _look_up(lut[0], meaning, signed=image.signed)
        seen = table * (WHITE / top)
    else:
        seen = _stretch(meaning, values, pixels, padding)
    if image.photometric == "MONOCHROME1" or image.data.get("PresentationLUTShape") == "INVERSE":
        seen = WHITE - seen
    seen[padding] = 0
    return np.rint(seen).astype(np.uint8)


def apply_window(values: NDArray[Any], window: Window) -> Floats:
    """The window functions of PS3.3 §C.11.2.1.2 and §C.11.2.1.3, to 0…255."""
    center, width, function = window
    if function == "SIGMOID":
        return WHITE / (1 + np.exp(np.clip(-4 * (values - center) / width, -700, 700)))
    if function == "LINEAR":
        center, width = center - 0.5, width - 1
    if width == 0:
        return np.where(values <= center, 0, WHITE)
    return np.clip((values - center) / width + 0.5, 0, 1) * WHITE


def usable(window: Window) -> bool:
    """Whether the window is one that the standard allows: of LINEAR, the width is at least 1, of others, positive."""
    center, width, function = window
    least = width >= 1 if function == "LINEAR" else width > 0
    return bool(np.isfinite(center) and np.isfinite(width) and least) and function in {
        "LINEAR",
        "LINEAR_EXACT",
        "SIGMOID",
    }


def _macro(data: Dataset, index: int, keyword: str) -> Dataset:
    """Where attributes of frame `index` are: in an enhanced object's functional groups (PS3.3 §C.7.6.16), or top."""
    groups = list(data.get("PerFrameFunctionalGroupsSequence") or [])[index : index + 1]
    for group in [*groups, *list(data.get("SharedFunctionalGroupsSequence") or [])[:1]]:
        if group.get(keyword):
            return group[keyword].value[0]  # type: ignore[no-any-return] # pydicom's values are Any
    return data


def _first(value: Any) -> float | None:
    """The first of a value that may be absent, empty, one or many."""
    if value is None or value == "":
        return None
    return float(value) if isinstance(value, int | float | str) else float(value[0]) if len(value) else None


def _own_window(data: Dataset, index: int) -> Window | None:
    macro = _macro(data, index, "FrameVOILUTSequence")
    center, width = _first(macro.get("WindowCenter")), _first(macro.get("WindowWidth"))
    if center is None or width is None:
        return None
    window = (center, width, str(macro.get("VOILUTFunction") or "LINEAR"))
    return window if usable(window) else None


def _modality(image: Image, values: NDArray[Any], index: int) -> NDArray[Any]:
    lut = image.data.get("ModalityLUTSequence")
    if lut:
        return _look_up(lut[0], values, signed=image.signed)[0]
    macro = _macro(image.data, index, "PixelValueTransformationSequence")
    slope, intercept = _first(macro.get("RescaleSlope")), _first(macro.get("RescaleIntercept"))
    return values * (1.0 if slope is None else slope) + (intercept or 0.0)


def _look_up(lut: Dataset, values: NDArray[Any], *, signed: bool) -> tuple[Floats, float]:
    """`values` through a LUT (PS3.3 §C.11.1.1, §C.11.2.1.1), and the largest value that its entries can have."""
    entries, first, bits = (int(number) for number in lut.LUTDescriptor)
    entries = entries or 2**16
    first = first - 2**16 if signed and first >= 2**15 else first
    data = lut.LUTData
    if isinstance(data, bytes):
        data = np.frombuffer(data, "<u2" if len(data) >= 2 * entries else "u1")
    table = np.asarray(data, dtype=np.float64)
    if not 0 < bits <= 16 or len(table) < entries:
        raise RefusedError("lut")
    return table[np.clip(values - first, 0, entries - 1).astype(np.int64)], float(2**bits - 1)


def _padding(data: Dataset, values: NDArray[Any]) -> NDArray[np.bool_]:
    """Which values stand for no pixel (PS3.3 §C.7.5.1.1.2). They are shown black whatever the window is."""
    value = data.get("PixelPaddingValue")
    if not isinstance(value, int):
        return np.zeros(values.shape, np.bool_)
    limit = data.get("PixelPaddingRangeLimit", value)
    low, high = sorted((value, limit if isinstance(limit, int) else value))
    return (values >= low) & (values <= high)


def _stretch(meaning: NDArray[Any], values: NDArray[Any], pixels: Pixels, padding: NDArray[np.bool_]) -> Floats:
    """From the least to the greatest value that the frame has."""
    if values is pixels:
        used = meaning[~padding]
    else:
        present = np.zeros(len(values), np.bool_)
        present[pixels] = True
        used = meaning[present & ~padding]
    if not used.size or used.min() == used.max():
        return np.full(meaning.shape, WHITE / 2)
    return apply_window(meaning, ((used.min() + used.max()) / 2, float(np.ptp(used)), "LINEAR_EXACT"))
