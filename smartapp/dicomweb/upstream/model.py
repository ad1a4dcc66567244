"""What the PACS says, once it has been checked, and what an answer is checked against. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from smartapp.dicomweb.core.dicomjson import Row
from smartapp.dicomweb.core.walker import Identity
from smartapp.errors import UpstreamMismatch


@dataclass(frozen=True)
class PatientIds:
    """The PatientIDs that are one patient's at a hospital, and the namespace they are in (empty: not configured).

    An issuer that a row or an object names must be that namespace; one that it does not name is the hospital's own.
    """

    values: tuple[str, ...]
    issuer: str = ""

    def holds(self, patient_id: str, issuer: str) -> bool:
        """Whether these name the patient. An empty PatientID names nobody."""
        return patient_id in self.values and (not issuer or not self.issuer or issuer == self.issuer)


@dataclass(frozen=True)
class PacsStudy:
    """A study that the PACS knows. `belongs` is False when it says that the study is somebody else's."""

    uid: str
    belongs: bool
    row: Row


@dataclass(frozen=True)
class Expected:
    """What instances may come: the patient's, of this study, and of these SOP Instance UIDs in their series."""

    ids: PatientIds
    study: str
    series_of: Mapping[str, str]

    def require(self, identity: Identity) -> None:
        """UpstreamMismatch unless the instance's own header names what was asked for (decision 3)."""
        if not self.ids.holds(identity.patient_id, identity.issuer):
            raise UpstreamMismatch("pacs-patient")
        if identity.study != self.study:
            raise UpstreamMismatch("pacs-study")
        if self.series_of.get(identity.sop_instance) != identity.series:
            raise UpstreamMismatch("pacs-instance")


@dataclass(frozen=True)
class CheckedInstance:
    """An instance that was asked for. `chunks` is its PS3.10 file with a preamble of zeros, read once, in order."""

    identity: Identity
    chunks: Iterator[bytes]


_UNSAFE = frozenset("*?\\,")


def searchable(identifier: str) -> bool:
    """Whether a PatientID can be asked for without an archive reading it as a pattern or a list (PS3.4 §C.2.2.2)."""
    return 0 < len(identifier) <= 64 and identifier.isprintable() and not _UNSAFE.intersection(identifier)


def patient_ids(identifiers: Iterable[tuple[str, str]], systems: Iterable[str], issuer: str) -> PatientIds:
    """The PatientIDs among FHIR identifiers (system, value): those of the hospital's record number systems."""
    known = frozenset(systems)
    found = dict.fromkeys(value.strip() for system, value in identifiers if system in known)
    return PatientIds(tuple(value for value in found if searchable(value)), issuer)
