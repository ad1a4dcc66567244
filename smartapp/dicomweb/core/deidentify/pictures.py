"""Which objects can be de-identified at all: images of which it is known that no name stands in the pixels. Pure."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from pydicom.uid import UID

# CT, MR and PET images, also enhanced and converted: scanners write no name into the primary ones of these.
_PRIMARY: Final = frozenset(
    f"1.2.840.10008.5.1.4.1.1.{rest}" for rest in ("2", "2.1", "2.2", "4", "4.1", "4.3", "4.4", "128", "128.1", "130")
)


@lru_cache(maxsize=1024)
def is_image(sop_class: str) -> bool:
    """Whether the standard has this SOP class as one of images: so no report, document, state, map or private one."""
    return "Image Storage" in UID(sop_class).name


def is_showable(sop_class: str, burned_in: str, image_type: Sequence[str]) -> bool:
    """Whether an object may be shown de-identified, by its SOP Class UID, Burned In Annotation and Image Type.

    Burned In Annotation must be NO; where it is absent (empty) a primary image of CT, MR or PET is believed, and no
    other (a screen that was saved from such a scanner is a Secondary Capture, or SECONDARY).
    """
    if not is_image(sop_class):
        return False
    if burned_in:
        return burned_in == "NO"
    return sop_class in _PRIMARY and len(image_type) > 1 and image_type[1] == "PRIMARY"
