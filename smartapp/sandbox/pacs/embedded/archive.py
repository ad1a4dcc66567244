"""The index over the files: what is in the archive, read once from the headers at the start."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UID

PIXEL_DATA = "7FE00010"
DOCUMENT = "00420011"
"""Encapsulated Document, the PDF of a DOC series."""


@dataclass(frozen=True)
class Instance:
    """One file: its header without pixels, and where it is."""

    path: Path
    header: Dataset

    @property
    def uid(self) -> str:
        """SOPInstanceUID."""
        return str(self.header.SOPInstanceUID)

    @property
    def transfer_syntax(self) -> str:
        """The transfer syntax that the file is stored in."""
        return str(self.header.file_meta.TransferSyntaxUID)

    @cached_property
    def json(self) -> dict[str, Any]:
        """The header in the DICOM JSON model (PS3.18 §F.2), without the pixels and without addresses."""
        answer: dict[str, Any] = self.header.to_json_dict()
        # JSON is UTF-8 whatever the file was (PS3.18 §F.2.1).
        answer["00080005"] = {"vr": "CS", "Value": ["ISO_IR 192"]}
        answer.pop(DOCUMENT, None)
        return answer

    @property
    def bulk(self) -> dict[str, str]:
        """The tags whose values are given apart, with their value representations."""
        found = (
            {PIXEL_DATA: "OB" if UID(self.transfer_syntax).is_encapsulated else "OW"} if "Rows" in self.header else {}
        )
        return {**found, **({DOCUMENT: "OB"} if "EncapsulatedDocument" in self.header else {})}

    def value(self, tag: str) -> bytes:
        """The value of one of `bulk` as stored."""
        value: bytes = dcmread(self.path)[int(tag, 16)].value
        return value


@dataclass(frozen=True)
class Series:
    """One series, its instances in the order of InstanceNumber."""

    uid: str
    instances: tuple[Instance, ...]

    @property
    def header(self) -> Dataset:
        """A header that stands for the series."""
        return self.instances[0].header


@dataclass(frozen=True)
class Study:
    """One study, its series in the order of SeriesNumber."""

    uid: str
    series: tuple[Series, ...]

    @property
    def header(self) -> Dataset:
        """A header that stands for the study."""
        return self.series[0].header

    @property
    def instances(self) -> tuple[Instance, ...]:
        """All instances of the study."""
        return tuple(instance for series in self.series for instance in series.instances)


class Archive:
    """The studies of one hospital, newest first."""

    def __init__(self, studies: Iterable[Study]) -> None:
        ordered = sorted(studies, key=lambda study: str(study.header.StudyDate), reverse=True)
        self._studies = {study.uid: study for study in ordered}

    def studies(self) -> Iterator[Study]:
        """Every study."""
        yield from self._studies.values()

    def study(self, uid: str) -> Study | None:
        """The study with this StudyInstanceUID, if it is here."""
        return self._studies.get(uid)


def read_archive(folder: Path) -> Archive:
    """Indexes every `.dcm` file below the folder; about a millisecond each."""
    found: dict[str, dict[str, list[Instance]]] = {}
    for path in sorted(folder.rglob("*.dcm")):
        header = dcmread(path, stop_before_pixels=True)
        series = found.setdefault(str(header.StudyInstanceUID), {}).setdefault(str(header.SeriesInstanceUID), [])
        series.append(Instance(path, header))
    return Archive(Study(uid, _ordered(series)) for uid, series in found.items())


def _ordered(found: dict[str, list[Instance]]) -> tuple[Series, ...]:
    every = [
        Series(uid, tuple(sorted(instances, key=lambda instance: int(instance.header.InstanceNumber))))
        for uid, instances in found.items()
    ]
    return tuple(sorted(every, key=lambda series: int(series.header.SeriesNumber)))
