"""The study index: kept sealed, fetched anew when it is too old, and which studies of it are whose."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from smartapp.access.service import Access
from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.consent.model import IndexPermit
from smartapp.db.datakeys import DataKeys
from smartapp.db.unit import Database
from smartapp.dicomweb.upstream.model import PacsStudy, PatientIds, patient_ids
from smartapp.dicomweb.upstream.service import PacsReader
from smartapp.errors import GrantHeld, UpstreamError, UpstreamMismatch, UpstreamRefused
from smartapp.fhir.upstream.service import FhirReader
from smartapp.identity.model import PatientKey, Principal, PrincipalKind
from smartapp.records import codec, store
from smartapp.records.changes import dated
from smartapp.records.consents import ConsentsOnFile
from smartapp.records.merge import merge
from smartapp.records.model import StudyIndex
from smartapp.records.store import SealedIndex
from smartapp.records.unmatched import Refreshed, refreshed
from smartapp.security.envelope import IntegrityError, open_, seal
from smartapp.security.keyring import Keyring
from smartapp.settings import Settings
from smartapp.tokens.model import confined, on_system

EHR_STALE: Final = "ehr-stale"
PACS_STALE: Final = "pacs-stale"
PACS_MISSING: Final = "pacs-missing"
EHR_UNREADABLE: Final = "ehr-unreadable"
CONSENTS_UNREAD: Final = "consents-unread"

_USABLE: Final = timedelta(hours=1)
"""How old an index may be shown, with a word about it, while EHR or PACS do not answer."""
_PATIENCE: Final = timedelta(seconds=15)
"""How long after a failed refresh the next one waits."""
_UIDS_IN_A_ROW: Final = 50
_HELD: Final = 512
_LOCKS: Final = 64


_Whose = tuple[PatientKey, bool]
"""A patient, and whether the EHR was asked as a backend service: that shows what it may hold back from the patient, so
what was found in the one way is not shown in the other (decision 16)."""


def _whose(principal: Principal) -> _Whose:
    return principal.patient, on_system(principal.credential_id)


class IndexKeeper:
    """Gives a patient's index. One per process; safe to share by threads."""

    def __init__(
        self,
        settings: Settings,
        access: Access,
        fhir: FhirReader,
        pacs: Mapping[str, PacsReader],
        database: Database,
        keyring: Keyring,
        datakeys: DataKeys,
        clock: Clock,
        audit: AuditTrail,
        *,
        names: Callable[[str, str], tuple[str, ...]],
    ) -> None:
        """`names` gives all that an app is called, by provider and client id: Consents may name it."""
        self._settings = settings
        self.consents = ConsentsOnFile(settings, fhir, clock, names)
        self._access = access
        self._fhir = fhir
        self._pacs = pacs
        self._database = database
        self._keyring = keyring
        self._datakeys = datakeys
        self._clock = clock
        self._audit = audit
        self._age = timedelta(seconds=settings.upstreams.index_max_age)
        self._held: OrderedDict[_Whose, tuple[datetime, StudyIndex]] = OrderedDict()
        self._lock = threading.Lock()
        self._with_a_replacement: list[Callable[[PatientKey, str], None]] = []
        self._with_a_refresh: list[Callable[[PatientKey, Refreshed, str], None]] = []
        self._refreshing = tuple(threading.Lock() for _ in range(_LOCKS))

    def when_replaced(self, work: Callable[[PatientKey, str], None]) -> None:
        """From now on `work(patient, request_id)` is done when the EHR says that another record took a patient's
        place (FHIR R4 Patient.link, `replaced-by`). Said once, when the house is built.
        """
        self._with_a_replacement.append(work)

    def when_refreshed(self, work: Callable[[PatientKey, Refreshed, str], None]) -> None:
        """From now on `work(patient, what did not match, request_id)` is done after each refresh for which EHR and PACS
        both answered. It must raise nothing and take no time: a person waits. Said once, when the house is built.
        """
        self._with_a_refresh.append(work)

    def current(self, principal: Principal, request_id: str) -> StudyIndex:
        """The index of the principal's patient, at most `index_max_age` old.

        While EHR or PACS do not answer: an older one, up to an hour, with a problem; or, without a PACS, what the EHR
        says, without images. Raises the `Upstream*` error when there is neither, and in any case UpstreamRefused and
        UpstreamMismatch.
        """
        found = self._remembered(_whose(principal))
        if found is not None:
            return found
        # One refresh a patient at a time in this process; two processes may both do it, which harms nothing.
        with self._refreshing[hash(principal.patient) % _LOCKS]:
            return self._remembered(_whose(principal)) or self._stored_or_fetched(principal, request_id)

    def _stored_or_fetched(self, principal: Principal, request_id: str) -> StudyIndex:
        now = self._clock.now()
        old = self._load(_whose(principal))
        if old is not None and not old.consents_unread and now < old.fetched_at + self._age:
            return self._remember(_whose(principal), old, old.fetched_at + self._age)
        usable = old if old is not None and now < old.fetched_at + _USABLE else None
        found: Refreshed | None = None
        try:
            index, found = self._fetch(principal, request_id, old, usable)
        except (UpstreamRefused, UpstreamMismatch):
            raise
        except UpstreamError:
            if usable is None:
                raise
            index = _with_problem(usable, EHR_STALE)
        if index.fetched_at < now or PACS_MISSING in index.problems:
            return self._remember(_whose(principal), index, now + _PATIENCE)
        self._save(_whose(principal), index)
        until = now + _PATIENCE if index.consents_unread else index.fetched_at + self._age
        index = self._remember(_whose(principal), index, until)
        if found is not None:
            for work in self._with_a_refresh:
                work(principal.patient, found, request_id)
        return index

    def _fetch(
        self, principal: Principal, request_id: str, old: StudyIndex | None, usable: StudyIndex | None
    ) -> tuple[StudyIndex, Refreshed | None]:
        """A new index, recorded before anything is asked (decision 2), and what did not match.

        While the PACS does not answer: `usable`, or one without images; then nothing is known of what matches.
        """
        permit = self._access.index(principal, request_id)
        provider = self._settings.provider(principal.patient.provider)
        now = self._clock.now()
        record = self._fhir.patient(permit)
        if any(link.type == "replaced-by" for link in record.links):
            self._tell_replaced(principal, request_id)
        if not (record.active or confined(permit)):
            raise UpstreamRefused  # the person has to come and say that it is theirs: no credential of theirs says so
        ids = patient_ids(
            ((identifier.system, identifier.value) for identifier in self._fhir.identifiers(permit, record)),
            provider.mrn_systems,
            provider.issuer_of_patient_id,
        )
        studies, reports = self._fhir.imaging_studies(permit), self._fhir.reports(permit)
        problems = [EHR_UNREADABLE] if _unread([*studies.problems, *reports.problems]) else []
        consents, unread = self.consents.fetch(permit, record)
        held = self._ask_pacs(permit, ids, [study.uid for study in studies.items])
        if held is None and usable is not None:
            return replace(_with_problem(usable, PACS_STALE), consents=consents, consents_unread=unread), None
        if held is None:
            problems.append(PACS_MISSING)
        merged = merge(
            principal.patient.patient_id, studies.items, held or (), reports.items, ZoneInfo(provider.timezone)
        )
        index = dated(StudyIndex(ids, merged, tuple(problems), now, consents, unread), old)
        self._report_unmatched(principal, index, old, request_id)
        if held is None:
            return _still_contradicted(index, old), None
        return index, refreshed(index, studies)

    def _tell_replaced(self, principal: Principal, request_id: str) -> None:
        """An app is told at once that its grant is held (threat A19)."""
        for work in self._with_a_replacement:
            work(principal.patient, request_id)
        if principal.kind is PrincipalKind.APP:
            raise GrantHeld("frozen")

    def _report_unmatched(
        self, principal: Principal, index: StudyIndex, old: StudyIndex | None, request_id: str
    ) -> None:
        """Writes down which studies EHR and PACS give to different people, when one is new."""
        known = _contradicted(old) if old is not None else frozenset()
        found = _contradicted(index)
        if found - known:
            detail = {"count": str(len(found)), "studies": " ".join(sorted(found)[:_UIDS_IN_A_ROW])}
            event = Event("records.unmatched", "high", principal.patient, detail=detail, request_id=request_id)
            self._audit.record(event)

    def _ask_pacs(self, permit: IndexPermit, ids: PatientIds, named: list[str]) -> tuple[PacsStudy, ...] | None:
        try:
            return self._pacs[permit.provider].studies(permit, ids, named)
        except UpstreamRefused:
            raise
        except UpstreamError:
            return None

    def _load(self, whose: _Whose) -> StudyIndex | None:
        """The stored index. One that does not open (its key was destroyed) is as good as none, and so is one that is
        from before the hospital was asked for Consents.
        """
        ref, (patient, _) = self._ref(whose), whose
        with self._database.read() as session:
            found = store.find(session, patient.provider, ref)
        if found is None:
            return None
        try:
            index = codec.decode(open_(self._datakeys.for_patient(str(patient)), found.sealed, ref.encode()))
        except IntegrityError:
            return None
        return index if index is not None and (index.consents is not None) == self.consents.asked(patient) else None

    def _save(self, whose: _Whose, index: StudyIndex) -> None:
        ref, (patient, _) = self._ref(whose), whose
        sealed = seal(self._datakeys.for_patient(str(patient)), codec.encode(index), ref.encode())
        with self._database.write() as session:
            store.put(session, patient.provider, ref, SealedIndex(index.fetched_at, sealed))

    def _ref(self, whose: _Whose) -> str:
        patient, by_system = whose
        return self._keyring.mac("study-index-system" if by_system else "study-index", str(patient))

    def _remembered(self, whose: _Whose) -> StudyIndex | None:
        with self._lock:
            until, index = self._held.get(whose, (None, None))
            if until is None or self._clock.now() >= until:
                return None
            self._held.move_to_end(whose)
            return index

    def _remember(self, whose: _Whose, index: StudyIndex, until: datetime) -> StudyIndex:
        """Until then, or until a period of a Consent begins or ends: then it is looked at anew, and nobody is asked."""
        index = self.consents.applied(whose[0], index)
        changes = index.on_file.changes_at if index.on_file is not None else None
        until = min(until, changes) if changes is not None else until
        with self._lock:
            self._held[whose] = (until, index)
            self._held.move_to_end(whose)
            while len(self._held) > _HELD:
                self._held.popitem(last=False)
        return index


def _with_problem(index: StudyIndex, problem: str) -> StudyIndex:
    return replace(index, problems=(*index.problems, problem))


def _still_contradicted(index: StudyIndex, old: StudyIndex | None) -> StudyIndex:
    """What the PACS said last of somebody else's studies holds while it says nothing."""
    foreign = _contradicted(old) if old is not None else frozenset()
    studies = tuple(
        replace(study, owned=False, contradicted=True) if study.uid in foreign else study for study in index.studies
    )
    return replace(index, studies=studies)


def _contradicted(index: StudyIndex) -> frozenset[str]:
    return frozenset(study.uid for study in index.studies if study.contradicted)


def _unread(problems: Iterable[str]) -> bool:
    """Whether something is missing. An EHR that has no such resources at all lacks none: the PACS tells the studies."""
    return any(not problem.endswith("-not-offered") for problem in problems)
