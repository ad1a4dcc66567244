"""What is in a series, taken from its metadata. Pure."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from smartapp.dicomweb.core.deidentify.rows import row_is_showable
from smartapp.dicomweb.core.dicomjson import Row, clean, get, in_viewing_order, number, retrieve_url
from smartapp.dicomweb.core.sr import is_structured_report
from smartapp.records.addresses import Addresses

_NO_PICTURES: Final = frozenset(
    {"SR", "KO", "PR", "DOC", "AU", "ECG", "HD", "REG", "SEG", "FID", "RTSTRUCT", "RTPLAN", "RTRECORD", "PLAN", "RWV"}
)
"""Modalities whose objects hold no picture that a person would look at (PS3.3 §C.7.3.1.1.1)."""

_PDF_CLASS: Final = "1.2.840.10008.5.1.4.1.1.104.1"
_PAPERS: Final = frozenset({"SR", "DOC"})

PaperKind = Literal["sr", "pdf", ""]

_STANDARD: Final = re.compile(r"[0-9A-F]{3}[02468ACE][0-9A-F]{4}", re.ASCII)
"""A tag of an even group; odd ones are private (PS3.5 §7.8)."""
_VR: Final = re.compile(r"[A-Z]{2}", re.ASCII)
"""Some archives leave open which of two it is, and say `OB or OW`: no value of a VR (PS3.18 §F.2.2)."""


def has_pictures(modality: str) -> bool:
    """Whether a series of this modality can be looked at."""
    return modality not in _NO_PICTURES


def is_paper_modality(modality: str) -> bool:
    """Whether a series of this modality holds documents, by what it says of itself."""
    return modality in _PAPERS


def paper_kind(sop_class: str) -> PaperKind:
    """What an instance of this class is to a reader; empty if it is no document."""
    if is_structured_report(sop_class):
        return "sr"
    return "pdf" if sop_class == _PDF_CLASS else ""


@dataclass(frozen=True)
class Listed:
    """An instance of a series.

    `at` and `size` say where its JSON stands in the series' metadata, in bytes. `showable`: it may be had
    de-identified, by what its metadata say.
    """

    sop: str
    sop_class: str
    number: int | None
    frames: int
    at: int
    size: int
    showable: bool = False


@dataclass(frozen=True)
class Contents:
    """A series' instances in viewing order, by InstanceNumber and then by place in the body."""

    instances: tuple[Listed, ...]

    def holds_papers(self) -> bool:
        """Whether any of them is a document."""
        return any(paper_kind(listed.sop_class) for listed in self.instances)

    def find(self, sop: str) -> Listed | None:
        """The instance with this SOP Instance UID."""
        return next((listed for listed in self.instances if listed.sop == sop), None)


def read_contents(rows: Sequence[Row], addresses: Addresses, study: str, series: str) -> tuple[Contents, bytes]:
    """A series' contents and its metadata as JSON, ready to be sent, from the PACS's checked rows."""
    listed: list[Listed] = []
    document = bytearray(b"[")
    for row in in_viewing_order(rows):
        sop = get(row, "SOPInstanceUID")
        text = json.dumps(cleaned(row, addresses.of(study, series, sop)), separators=(",", ":")).encode()
        document += b"," if listed else b""
        place = (number(row, "InstanceNumber"), _frames(row), len(document), len(text))
        listed.append(Listed(sop, get(row, "SOPClassUID"), *place, row_is_showable(row)))
        document += text
    return Contents(tuple(listed)), bytes(document + b"]")


def cleaned(row: Row, address: str) -> dict[str, Any]:
    """The metadata of the instance at `address` (PS3.18 §10.4.1.1.2), without private elements and PACS addresses.

    A large value is to be fetched from us; one inside a sequence is left out, as nothing can name it.
    """
    kept = clean(row, lambda _uri: None)
    for tag, element in row.items():
        if "BulkDataURI" in element and _STANDARD.fullmatch(tag):
            said = element.get("vr")
            vr = said if isinstance(said, str) and _VR.fullmatch(said) else "UN"
            kept[tag] = {"vr": vr, "BulkDataURI": f"{address}/bulkdata/{tag}"}
    return kept | retrieve_url(address)


def encode(contents: Contents) -> bytes:
    """The contents as JSON."""
    return json.dumps([list(asdict(listed).values()) for listed in contents.instances]).encode()


def decode(data: bytes) -> Contents:
    """What `encode` was given."""
    return Contents(tuple(Listed(*fields) for fields in json.loads(data)))


def _frames(row: Row) -> int:
    if not has_pictures(get(row, "Modality")) or number(row, "Rows") is None:
        return 0
    return max(1, number(row, "NumberOfFrames") or 1)
