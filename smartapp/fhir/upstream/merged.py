"""Records that were merged into a patient's (FHIR R4 Patient.link, `replaces`), as far as Consents are sought there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from smartapp.fhir.upstream.model import PatientRecord

MOST: Final = 8
"""So many are followed; more, and nobody knows what is on file there."""


@dataclass(frozen=True)
class Merged:
    """A record that was merged. `shown`: the EHR shows it to us."""

    patient_id: str
    shown: bool


def merged_into(
    record: PatientRecord, read: Callable[[str], PatientRecord | None], *, confined: bool
) -> tuple[list[Merged], bool]:
    """The records that `record` says it replaces, and those that these replaced; and whether these are all.

    `read` gives a record, or None for one that the EHR does not show. Where our token is `confined` to the patient, the
    EHR's word is enough, and the record need not be out of use: a denial too many harms less than one too few. Where it
    reaches anybody's, only such records count as say the same of themselves.
    """
    heirs, seen, found = {record.id}, {record.id}, list[Merged]()
    waiting = _replaced(record)
    while waiting:
        id_ = waiting.pop(0)
        if id_ in seen:
            continue
        if len(seen) > MOST:
            return found, False
        seen.add(id_)
        other = read(id_)
        if other is None:
            found += [Merged(id_, shown=False)] if confined else []
        elif confined or any(link.type == "replaced-by" and link.patient_id in heirs for link in other.links):
            found.append(Merged(id_, shown=True))
            heirs.add(id_)
            waiting += _replaced(other)
    return found, True


def _replaced(record: PatientRecord) -> list[str]:
    return [link.patient_id for link in record.links if link.type == "replaces"]
