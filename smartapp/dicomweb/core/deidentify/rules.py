"""What becomes of each attribute (PS3.15 table E.1-1, 2026c). Pure.

The table's choices (`X/Z/D`: what is needed to stay a valid object) are made here, for the objects that are let
through: images. What the table does not name is kept if the standard's dictionary has it, and if it is no
name, date or time.
"""

from enum import Enum
from functools import cache, lru_cache
from typing import Final

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as table
from pydicom.datadict import dictionary_has_tag, dictionary_VR


class Treatment(Enum):
    """What is done to an attribute."""

    KEEP = "K"
    """As it is; the items of a sequence are treated one by one (the table's own K is: kept and cleaned so)."""
    REMOVE = "X"
    EMPTY = "Z"
    DUMMY = "D"
    """A value that says nothing."""
    MAP = "U"
    """Another UID, the same for all objects of a grant."""


class Needs(Enum):
    """Which of the attributes that the table leaves open an image's IOD has to have with a value (PS3.3)."""

    PLAIN = "plain"
    ENHANCED = "enhanced"
    """Multi-frame objects of the Enhanced General Equipment and Multi-frame Functional Groups modules."""
    PET = "pet"
    RT = "rt"


_PET: Final = frozenset({"1.2.840.10008.5.1.4.1.1.128"})
_RT: Final = frozenset({"1.2.840.10008.5.1.4.1.1.481.1"})
_ENHANCED: Final = frozenset(
    f"1.2.840.10008.5.1.4.1.1.{rest}"
    for rest in (
        "2.1", "2.2", "4.1", "4.3", "4.4", "6.2", "12.1.1", "12.2.1", "13.1.1", "13.1.2", "13.1.3", "13.1.4", "13.1.5",
        "14.1", "14.2", "30", "77.1.5.4", "77.1.6", "77.1.7", "77.1.8", "128.1", "130",
    )
)  # fmt: skip

_CURVES: Final = range(0x5000, 0x5100)
_OVERLAYS: Final = range(0x6000, 0x6100)
# Not in the table, and of no use without what it removes, or a way back to it: MAC Parameters and Encrypted Attributes
# Sequence; where the archive is: Retrieve URL and URI; and what we say ourselves (PS3.15 §E.1.1).
_ALSO_REMOVED: Final = frozenset(
    {0x4FFE0001, 0x04000500, 0x00081190, 0x0040E010, 0x00120062, 0x00120063, 0x00120064, 0x00280303}
)
_TELLING: Final = frozenset({"PN", "DA", "DT", "TM"})

# X/Z: those that an image IOD has as Type 2 are emptied, others go.
_EMPTIED: Final = frozenset(
    {0x00400555, 0x00080022, 0x00080032, 0x22000005, 0x22000002, 0x00102203, 0x300E0008, 0x300A00B2}
)
_CONTENT_TIME: Final = frozenset({0x00080023, 0x00080033})
_SERIES_TIME: Final = frozenset({0x00080021, 0x00080031})
_EQUIPMENT: Final = frozenset({0x00181000, 0x0008002A, 0x00189516, 0x00189517})
_OPERATOR: Final = 0x00081070


def needs_of(sop_class: str) -> Needs:
    """What the IOD of a SOP class needs."""
    if sop_class in _ENHANCED:
        return Needs.ENHANCED
    if sop_class in _PET:
        return Needs.PET
    return Needs.RT if sop_class in _RT else Needs.PLAIN


@lru_cache(maxsize=16384)
def treatment(tag: int, needs: Needs) -> Treatment:
    """What is done to an attribute, at whatever depth. Private, unknown and group length elements are removed."""
    group = tag >> 16
    if group % 2 or group < 8 or tag & 0xFFFF == 0 or group in _CURVES or group in _OVERLAYS or tag in _ALSO_REMOVED:
        return Treatment.REMOVE
    if not dictionary_has_tag(tag):
        return Treatment.REMOVE
    named = _table().get(tag)
    if named is None:
        return Treatment.REMOVE if dictionary_VR(tag) in _TELLING else Treatment.KEEP
    return named if isinstance(named, Treatment) else _chosen(tag, needs, named)


def is_bulk_kept(tag: int, sop_class: str) -> bool:
    """Whether a large value by itself may be had of a de-identified object: one that is kept, and of numbers."""
    kept = treatment(tag, needs_of(sop_class)) is Treatment.KEEP
    return kept and dictionary_VR(tag).startswith("O")


def _chosen(tag: int, needs: Needs, choices: str) -> Treatment:
    """Which of the table's choices an image needs: the least that leaves it a valid object."""
    if choices == "X/Z":
        return Treatment.EMPTY if tag in _EMPTIED else Treatment.REMOVE
    if choices == "Z/D":
        needed = needs is Needs.ENHANCED and tag in _CONTENT_TIME
        return Treatment.DUMMY if needed else Treatment.EMPTY
    if needs is Needs.RT and tag == _OPERATOR:
        return Treatment.EMPTY
    needed = (needs is Needs.ENHANCED and tag in _EQUIPMENT) or (needs is Needs.PET and tag in _SERIES_TIME)
    return Treatment.DUMMY if needed else Treatment.REMOVE


@cache
def _table() -> dict[int, Treatment | str]:
    """The table by tag. Its rows with a mask are the curves and overlays, which go altogether.

    `X/Z/U*`, references to other images, keep their items with mapped UIDs: viewers draw localizer lines by them. The
    one D whose VR is UI is a UID, and mapped.
    """
    found: dict[int, Treatment | str] = {}
    for rows, what in (
        (table.X_TAGS, Treatment.REMOVE),
        (table.Z_TAGS, Treatment.EMPTY),
        (table.D_TAGS, Treatment.DUMMY),
        (table.U_TAGS, Treatment.MAP),
        (table.X_Z_U_STAR_TAGS, Treatment.KEEP),
        (table.X_Z_TAGS, "X/Z"),
        (table.Z_D_TAGS, "Z/D"),
        (table.X_D_TAGS, "X/D"),
        (table.X_Z_D_TAGS, "X/Z/D"),
    ):
        found |= {row[0] << 16 | row[1]: what for row in rows if len(row) == 2}
    by_uid = {tag: Treatment.MAP for tag, what in found.items() if what is Treatment.DUMMY and _is_uid(tag)}
    return found | by_uid


def _is_uid(tag: int) -> bool:
    return dictionary_has_tag(tag) and dictionary_VR(tag) == "UI"
