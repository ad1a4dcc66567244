"""DICOMDIR: the directory of a medium that holds DICOM files, as bytes (PS3.10 §8.6, PS3.3 Annex F).

Ours and not pydicom's FileSet, which wants the files on a disk: a copy is streamed, and its directory is written last
from what was sent. Values come out of the archive's metadata, each cut to what its VR allows; names of files are made
by the caller and never come from there.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final

from pydicom.datadict import dictionary_VR, tag_for_keyword

from smartapp.dicomweb.core.dicomjson import Row, get, values
from smartapp.dicomweb.core.uids import IMPLEMENTATION, is_uid

_SOP_CLASS: Final = "1.2.840.10008.1.3.10"
_EXPLICIT: Final = "1.2.840.10008.1.2.1"
_FILE_ID: Final = re.compile(r"[A-Z0-9_]{1,8}(?:/[A-Z0-9_]{1,8}){0,7}", re.ASCII)
"""PS3.10 §8.2 and §8.5: at most eight components of at most eight characters."""

_SHORT: Final = Struct("<HH2sH")
_LONG: Final = Struct("<HH2sHI")
_ITEM: Final = Struct("<HHI")
_LINKS: Final = Struct("<HH2sHI HH2sHH HH2sHI")
"""Offset of the next record, the in-use flag, offset of the first record below: the fixed head of each record."""
_IN_USE: Final = 0xFFFF

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\\]")
_LENGTHS: Final = {"SH": 16, "LO": 64, "PN": 64}
_FORMS: Final = {
    "CS": re.compile(r"[A-Z0-9_ ]{1,16}", re.ASCII),
    "DA": re.compile(r"[0-9]{8}", re.ASCII),
    "TM": re.compile(r"[0-9]{2,6}(?:\.[0-9]{1,6})?", re.ASCII),
    "DT": re.compile(r"[0-9]{4,14}(?:\.[0-9]{1,6})?(?:[+-][0-9]{4})?", re.ASCII),
    "IS": re.compile(r"[+-]?[0-9]{1,11}", re.ASCII),
}
_CODE: Final = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")
_INSIDE: Final[Mapping[str, tuple[str, ...]]] = {
    "ConceptNameCodeSequence": _CODE,
    "ReferencedSeriesSequence": ("SeriesInstanceUID", "ReferencedImageSequence"),
    "ReferencedImageSequence": ("ReferencedSOPClassUID", "ReferencedSOPInstanceUID"),
}
"""What is taken of each item of a sequence; others are not written."""

PATIENT_KEYS: Final = ("PatientName", "PatientID")
STUDY_KEYS: Final = (
    *("StudyDate", "StudyTime", "AccessionNumber", "StudyDescription"),
    *("StudyInstanceUID", "StudyID"),
)
SERIES_KEYS: Final = ("Modality", "SeriesDescription", "SeriesInstanceUID", "SeriesNumber")

_CONTENT: Final = ("ContentDate", "ContentTime")
_LABELS: Final = ("ContentLabel", "ContentDescription", "ContentCreatorName")
_TREATED: Final = ("RT TREAT RECORD", ("TreatmentDate", "TreatmentTime"))
_RT_PLAN: Final = ("RT PLAN", ("RTPlanLabel", "RTPlanDate", "RTPlanTime"))
_IMAGE: Final[tuple[str, tuple[str, ...]]] = ("IMAGE", ())
_TYPES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "9.": ("WAVEFORM", _CONTENT),
    "11.": (
        "PRESENTATION",
        ("PresentationCreationDate", "PresentationCreationTime", *_LABELS, "ReferencedSeriesSequence"),
    ),
    "4.2": ("SPECTROSCOPY", ("ImageType", *_CONTENT)),
    "66": ("RAW DATA", _CONTENT),
    "66.1": ("REGISTRATION", (*_CONTENT, *_LABELS)),
    "66.2": ("FIDUCIAL", (*_CONTENT, *_LABELS)),
    "66.3": ("REGISTRATION", (*_CONTENT, *_LABELS)),
    "66.5": ("SURFACE", (*_CONTENT, *_LABELS)),
    "67": ("VALUE MAP", (*_CONTENT, *_LABELS)),
    "88.": (
        "SR DOCUMENT",
        ("CompletionFlag", "VerificationFlag", *_CONTENT, "VerificationDateTime", "ConceptNameCodeSequence"),
    ),
    "88.59": ("KEY OBJECT DOC", (*_CONTENT, "ConceptNameCodeSequence")),
    "104.": (
        "ENCAP DOC",
        (*_CONTENT, "DocumentTitle", "ConceptNameCodeSequence", "MIMETypeOfEncapsulatedDocument"),
    ),
    "481.2": ("RT DOSE", ("DoseSummationType",)),
    "481.3": ("RT STRUCTURE SET", ("StructureSetLabel", "StructureSetDate", "StructureSetTime")),
    "481.4": _TREATED,
    "481.5": _RT_PLAN,
    "481.6": _TREATED,
    "481.7": _TREATED,
    "481.8": _RT_PLAN,
    "481.9": _TREATED,
}
"""PS3.3 table F.4-1: the kind of record, and its keys beside the number, by what follows the storage classes' root."""
_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."


@dataclass(frozen=True)
class Record:
    """A directory record: its `kind` (0004,1430), its elements after that, encoded, and the records below it."""

    kind: str
    elements: bytes
    below: tuple["Record", ...] = ()


@dataclass(frozen=True)
class Keys:
    """The kind of record of an instance, with its keys encoded: all that the directory takes from its metadata."""

    kind: str
    elements: bytes


def upper_record(kind: str, keys: bytes, below: Iterable[Record]) -> Record:
    """A record that names no file: PATIENT, STUDY or SERIES (PS3.3 §F.5.1 to F.5.3)."""
    return Record(kind, keys, tuple(below))


def instance_record(keys: Keys, file_id: str, sop_class: str, sop_instance: str, transfer_syntax: str) -> Record:
    """A record that names a file: `file_id` has components separated by `/` (PS3.10 §8.2). ValueError for others."""
    if _FILE_ID.fullmatch(file_id) is None:
        raise ValueError("file-id")
    names = ((0x1510, sop_class), (0x1511, sop_instance), (0x1512, transfer_syntax))
    reference = _element(0x0004, 0x1500, "CS", file_id.replace("/", "\\").encode("ascii"))
    reference += b"".join(_element(0x0004, element, "UI", _value("UI", uid).encode("ascii")) for element, uid in names)
    return Record(keys.kind, reference + keys.elements)


def instance_keys(row: Row, number: int) -> Keys:
    """What the directory says of the instance that `row` describes; `number` where it has no InstanceNumber."""
    kind, keywords = _kind(get(row, "SOPClassUID"))
    return Keys(kind, encode(row, ("InstanceNumber", *keywords), {"InstanceNumber": str(number)}))


def _kind(sop_class: str) -> tuple[str, tuple[str, ...]]:
    """Storage classes that are not named in the table are pictures, or shown as such."""
    if not sop_class.startswith(_STORAGE):
        return _IMAGE
    rest = sop_class.removeprefix(_STORAGE)
    return _TYPES.get(rest) or _TYPES.get(rest.partition(".")[0] + ".") or _IMAGE


def encode(row: Row, keywords: Iterable[str], fill: Mapping[str, str] | None = None) -> bytes:
    """These elements of `row`, in the order of their tags, preceded by the character set where one is needed.

    An element without a usable value takes that of `fill`, else it is empty; sequences without items are left out.
    """
    elements = b"".join(_encoded(row, keyword, fill or {}) for keyword in sorted(keywords, key=_tag))
    charset = b"" if elements.isascii() else _element(0x0008, 0x0005, "CS", b"ISO_IR 192")
    return charset + elements


def _encoded(row: Row, keyword: str, fill: Mapping[str, str]) -> bytes:
    tag = _tag(keyword)
    if keyword in _INSIDE:
        return _sequence(tag, [item for item in values(row, keyword) if isinstance(item, Mapping)], _INSIDE[keyword])
    vr = dictionary_VR(tag)
    value = _value(vr, get(row, keyword)) or fill.get(keyword, "")
    return _element(tag >> 16, tag & 0xFFFF, vr, value.encode())


def _sequence(tag: int, items: Sequence[Row], keywords: tuple[str, ...]) -> bytes:
    if not items:
        return b""
    bodies = [b"".join(_encoded(item, keyword, {}) for keyword in sorted(keywords, key=_tag)) for item in items]
    content = b"".join(_ITEM.pack(0xFFFE, 0xE000, len(body)) + body for body in bodies)
    return _LONG.pack(tag >> 16, tag & 0xFFFF, b"SQ", 0, len(content)) + content


def _tag(keyword: str) -> int:
    found = tag_for_keyword(keyword)
    if found is None:
        raise KeyError(keyword)
    return found


def _value(vr: str, text: str) -> str:
    """`text` as the VR allows it (PS3.5 §6.2), or nothing."""
    if vr == "UI":
        return text if is_uid(text) else ""
    if vr in _FORMS:
        return text if _FORMS[vr].fullmatch(text) else ""
    return _CONTROL.sub(" ", text)[: _LENGTHS.get(vr, 64)].strip()


def _element(group: int, element: int, vr: str, value: bytes) -> bytes:
    if len(value) % 2:
        value += b"\0" if vr == "UI" else b" "
    return _SHORT.pack(group, element, vr.encode("ascii"), len(value)) + value


def write_dicomdir(roots: Sequence[Record], sop_instance: str, file_set_id: str) -> bytes:
    """The DICOMDIR of the PATIENT records `roots`: a PS3.10 file, Explicit VR Little Endian (PS3.10 §8.6).

    `sop_instance` is its own SOP Instance UID, `file_set_id` at most 16 upper-case characters.
    """
    head = bytes(128) + b"DICM" + _meta(sop_instance)
    named = _element(0x0004, 0x1130, "CS", file_set_id.encode("ascii"))
    # Two offsets, a flag and the header of the sequence stand before the first record.
    first = len(head) + len(named) + 12 + 12 + 10 + _LONG.size
    placed = list(_placed(roots, first))
    end = first + sum(_size(record) for record, *_ in placed)
    tops = [first + sum(map(_whole_size, roots[:index])) for index in range(len(roots))]
    return b"".join(
        (
            head,
            named,
            _offset(0x1200, tops[0] if tops else 0),
            _offset(0x1202, tops[-1] if tops else 0),
            _SHORT.pack(0x0004, 0x1212, b"US", 2) + bytes(2),
            _LONG.pack(0x0004, 0x1220, b"SQ", 0, end - first),
            *(_written(record, following, below) for record, _at, following, below in placed),
        )
    )


def _placed(records: Sequence[Record], at: int) -> Iterator[tuple[Record, int, int, int]]:
    """Each record with its offset, that of the next one beside it and of the first one below, or 0."""
    for index, record in enumerate(records):
        inside = at + _size(record)
        after = inside + sum(map(_whole_size, record.below))
        yield record, at, after if index + 1 < len(records) else 0, inside if record.below else 0
        yield from _placed(record.below, inside)
        at = after


def _whole_size(record: Record) -> int:
    return _size(record) + sum(map(_whole_size, record.below))


def _size(record: Record) -> int:
    return _ITEM.size + _LINKS.size + len(_kind_element(record)) + len(record.elements)


def _kind_element(record: Record) -> bytes:
    return _element(0x0004, 0x1430, "CS", record.kind.encode("ascii"))


def _written(record: Record, following: int, below: int) -> bytes:
    links = _LINKS.pack(
        *(0x0004, 0x1400, b"UL", 4, following), *(0x0004, 0x1410, b"US", 2, _IN_USE), *(0x0004, 0x1420, b"UL", 4, below)
    )
    content = links + _kind_element(record) + record.elements
    return _ITEM.pack(0xFFFE, 0xE000, len(content)) + content


def _offset(element: int, at: int) -> bytes:
    return _SHORT.pack(0x0004, element, b"UL", 4) + at.to_bytes(4, "little")


def _meta(sop_instance: str) -> bytes:
    """File meta information (PS3.10 §7.1)."""
    elements = b"".join(
        (
            _LONG.pack(0x0002, 0x0001, b"OB", 0, 2) + b"\0\1",
            _element(0x0002, 0x0002, "UI", _SOP_CLASS.encode("ascii")),
            _element(0x0002, 0x0003, "UI", sop_instance.encode("ascii")),
            _element(0x0002, 0x0010, "UI", _EXPLICIT.encode("ascii")),
            _element(0x0002, 0x0012, "UI", IMPLEMENTATION.encode("ascii")),
        )
    )
    return _SHORT.pack(0x0002, 0x0000, b"UL", 4) + len(elements).to_bytes(4, "little") + elements
