"""What an app did see: read from the disclosures under its grant (promises B4, E1)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from smartapp.audit import store
from smartapp.audit.model import EXTENTS, Patient
from smartapp.audit.references import References, row_aad
from smartapp.audit.store import Intent, Seen
from smartapp.db.datakeys import DataKeys
from smartapp.db.unit import Database
from smartapp.security.envelope import IntegrityError
from smartapp.security.keyring import Keyring


@dataclass(frozen=True)
class Used:
    """What was disclosed of one study, or of the record as a whole: the most of it, how much, and when (UTC)."""

    extent: str
    instances: int
    bytes: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Usage:
    """All that was disclosed under one grant. `record` is what was read of the record as a whole (lists), `studies`
    by Study Instance UID, `others` of studies that were not among those named.
    """

    record: Used | None
    studies: Mapping[str, Used]
    others: tuple[Used, ...]

    @property
    def all(self) -> tuple[Used, ...]:
        """Everything, in no order."""
        return (*([self.record] if self.record else []), *self.studies.values(), *self.others)


@dataclass(frozen=True)
class Opening:
    """That something was disclosed from `at` (UTC) on: of one study (its UID, where it is among those named), or of the
    record as a whole. It was asked for by the request `request_id`, with the token that `token` refers to: both empty
    where its row no longer opens, since the patient's key was destroyed.
    """

    id: str
    study: str | None
    purpose: str
    at: datetime
    request_id: str = ""
    token: str = ""


class UsageReader:
    """Reads the disclosures. What is counted in memory still is not in them: `AuditTrail.flush` writes it first."""

    def __init__(self, database: Database, keyring: Keyring, datakeys: DataKeys) -> None:
        self._database = database
        self._references = References(keyring, datakeys)

    def of(self, patient: Patient, grant_id: str, uids: Iterable[str]) -> Usage:
        """What was disclosed of the patient under the grant. The trail knows studies by keyed hashes only: `uids` are
        those that can be told by name.
        """
        refs = self._references
        with self._database.read() as session:
            found = store.of_asker(session, patient.provider, refs.of_patient(patient), refs.of("session", grant_id))
        grouped: dict[str, list[Seen]] = {}
        for seen in found:
            grouped.setdefault(seen.study_ref, []).append(seen)
        named = {refs.of("study", f"{patient.provider}/{uid}"): uid for uid in uids}
        return Usage(
            record=_sum(grouped[""]) if "" in grouped else None,
            studies={named[ref]: _sum(seen) for ref, seen in grouped.items() if ref in named},
            others=tuple(_sum(seen) for ref, seen in grouped.items() if ref and ref not in named),
        )

    def openings(self, patient: Patient, grant_id: str, uids: Iterable[str]) -> tuple[Opening, ...]:
        """Each disclosure of the patient under the grant, newest first. `uids` as in `of`."""
        refs = self._references
        asked = (patient.provider, refs.of_patient(patient), refs.of("session", grant_id))
        with self._database.read() as session:
            found, rows = store.opened_by(session, *asked), store.intents(session, *asked)
        named = {refs.of("study", f"{patient.provider}/{uid}"): uid for uid in uids}
        return tuple(
            Opening(
                each.id,
                named.get(each.study_ref),
                each.purpose,
                each.opened_at,
                *self._asked_with(patient, each.id, rows.get(each.id)),
            )
            for each in found
        )

    def _asked_with(self, patient: Patient, disclosure_id: str, row: Intent | None) -> tuple[str, str]:
        """By which request, and with which token."""
        if row is None:
            return "", ""
        aad = row_aad(store.OPENED, row.at, self._references.of_patient(patient), disclosure_id, row.request_id)
        try:
            return row.request_id, self._references.open_(row.detail, aad, patient).get("token", "")
        except IntegrityError:
            return "", ""


def _sum(seen: list[Seen]) -> Used:
    return Used(
        extent=max((each.extent for each in seen), key=EXTENTS.index),
        instances=sum(each.instances for each in seen),
        bytes=sum(each.bytes for each in seen),
        first_at=min(each.opened_at for each in seen),
        last_at=max(each.last_at for each in seen),
    )
