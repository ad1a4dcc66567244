"""The EHR's FHIR as the house reads it. No method without a permit; each reads its permit's patient only.

The records that were merged into the patient's are the patient's too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.audit.upstreams import event_of
from smartapp.clock import Clock
from smartapp.consent.directives.model import Filed
from smartapp.consent.model import Action, IndexPermit, Permit, SignInPermit
from smartapp.errors import AccessDenied, NotFound, Reason, UpstreamError, UpstreamMismatch
from smartapp.fhir.upstream import attachments
from smartapp.fhir.upstream.document import Assembler
from smartapp.fhir.upstream.documents import Json
from smartapp.fhir.upstream.fetch import FhirServer, server_of
from smartapp.fhir.upstream.filed import filed
from smartapp.fhir.upstream.imaging_study import read_imaging_study
from smartapp.fhir.upstream.merged import MOST, merged_into
from smartapp.fhir.upstream.model import (
    Fetched,
    Identifier,
    ImagingStudyFacts,
    PatientRecord,
    ReportDocument,
    ReportFacts,
)
from smartapp.fhir.upstream.patient import read_names, read_patient
from smartapp.fhir.upstream.references import (
    Reference,
    is_id,
    is_of,
    names_others,
    read_reference,
    reference_in,
)
from smartapp.fhir.upstream.report import read_report
from smartapp.fhir.upstream.search import Bounds, Found, search
from smartapp.identity.model import PatientKey
from smartapp.outbound.service import Outbound
from smartapp.settings import Settings
from smartapp.tokens.model import TokenSource, confined

_PEOPLE = frozenset({"Patient", "RelatedPerson", "Practitioner", "PractitionerRole"})
_NAMED = frozenset({"Practitioner", "Organization", "RelatedPerson"})
_READING = frozenset({Action.READ_REPORT})
_REPORTED = _READING | {Action.LIST_REPORTS}
"""A search gives whole resources (SMART App Launch 2.2: `s` is for what a search returns), and no files."""
_PAGE = "100"
_P = ParamSpec("_P")
_T = TypeVar("_T")
_Given = TypeVar("_Given", SignInPermit, IndexPermit, Permit, SignInPermit | IndexPermit | Permit)


@dataclass(frozen=True)
class _Ehr:
    server: FhirServer
    zone: ZoneInfo


def _noted(
    reads: Callable[Concatenate["FhirReader", _Given, _P], _T],
) -> Callable[Concatenate["FhirReader", _Given, _P], _T]:
    """A method that leaves a word in the trail of how the EHR failed (`ehr.down`, `ehr.malformed`, …), if it did."""

    @wraps(reads)
    def noting(self: "FhirReader", permit: _Given, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return reads(self, permit, *args, **kwargs)
        except UpstreamError as error:
            self._failed(permit.provider, error)
            raise

    return noting


class FhirReader:
    """Reads every configured EHR. One per process; safe to share by threads.

    All methods raise UpstreamDown, UpstreamSlow or UpstreamMalformed when the EHR does not answer as it should, and
    UpstreamRefused when it takes our credential no longer.
    """

    def __init__(
        self, settings: Settings, outbound: Outbound, tokens: TokenSource, audit: AuditTrail, clock: Clock
    ) -> None:
        limits = settings.upstreams
        self._bounds = Bounds(limits.max_pages, 4 * limits.max_json_bytes, 2 * limits.total_timeout)
        self._audit = audit
        self._clock = clock
        self._ehrs = {
            provider.id: _Ehr(server_of(provider, outbound, tokens, limits.max_json_bytes), ZoneInfo(provider.timezone))
            for provider in settings.providers
        }

    @_noted
    def patient(self, permit: SignInPermit | IndexPermit | Permit) -> PatientRecord:
        """The permit's Patient. Raises NotFound, and UpstreamMismatch when the EHR answers with somebody else."""
        key = _patient_of(permit)
        server = self._ehr(permit).server
        return read_patient(server.read(permit, Reference("Patient", key.patient_id)), server.base)

    @_noted
    def identifiers(self, permit: IndexPermit, record: PatientRecord) -> tuple[Identifier, ...]:
        """The identifiers of the permit's `record`, and of those that the EHR says were merged into it.

        Only `replaces` is followed (FHIR R4 Patient.link), and only to records that are no longer in use: the other
        kinds of link say that two records may be one person's. One that the EHR does not show gives nothing; where it
        would show us anybody's, so does one that does not say the same of itself.
        """
        merged = [link.patient_id for link in record.links if link.type == "replaces"][:MOST]
        found = list(record.identifiers)
        for other in dict.fromkeys(merged):
            found += self._merged(permit, other)
        return tuple(dict.fromkeys(found))

    def _other(self, permit: IndexPermit, patient_id: str) -> PatientRecord | None:
        """Another record of the patient's; None for one that the EHR does not show."""
        server = self._ehr(permit).server
        found = server.shown(permit, Reference("Patient", patient_id))
        return read_patient(found, server.base) if found is not None else None

    def _merged(self, permit: IndexPermit, patient_id: str) -> tuple[Identifier, ...]:
        record = self._other(permit, patient_id)
        if record is None:
            return ()
        says_so = any(
            link.type == "replaced-by" and link.patient_id == permit.patient.patient_id for link in record.links
        )
        return () if record.active or not (confined(permit) or says_so) else record.identifiers

    @_noted
    def fhir_user(self, permit: SignInPermit, reference: str) -> Json | None:
        """The person who signed in, as the resource that `fhirUser` names; None when the EHR does not show it."""
        server = self._ehr(permit).server
        person = read_reference(reference, server.base)
        return server.shown(permit, person) if person is not None and person.type in _PEOPLE else None

    def person_name(self, permit: SignInPermit, reference: str) -> str:
        """How to address who signed in; empty when the EHR does not show it."""
        person = self.fhir_user(permit, reference)
        names = read_names(person) if person else ()
        return names[0] if names else ""

    @_noted
    def imaging_studies(self, permit: IndexPermit) -> Fetched[list[ImagingStudyFacts]]:
        """The patient's ImagingStudies. An EHR that has none of the kind says so among the problems."""
        ehr, found = self._search(permit, "ImagingStudy")
        studies = [read_imaging_study(row, ehr.server.base, ehr.zone) for row in found.rows]
        if None in studies:
            found.problem("ImagingStudy-unreadable")
        return Fetched([study for study in studies if study], tuple(found.problems))

    @_noted
    def reports(self, permit: IndexPermit) -> Fetched[list[ReportFacts]]:
        """The patient's DiagnosticReports that could belong to a study: all but those that name no picture, order or
        accession number. The EHR is asked for every category: what it calls imaging differs.
        """
        ehr, found = self._search(permit, "DiagnosticReport")
        reports = (read_report(row, ehr.server.base, ehr.zone) for row in found.rows)
        return Fetched([report for report in reports if report], tuple(found.problems))

    @_noted
    def consents(self, permit: IndexPermit, record: PatientRecord) -> Fetched[list[Filed]]:
        """The patient's active Consents (FHIR R4 consent.html), with the organizations and devices that they name: of
        the permit's `record`, and of those that were merged into it.

        With any problem, what they forbid is not known; also where the EHR does not offer them, or not to us. Of a
        merged record that the EHR does not show, it need not: then nothing else of that one is known either.
        """
        ehr = self._ehr(permit)
        merged, complete = merged_into(
            record, lambda patient_id: self._other(permit, patient_id), confined=confined(permit)
        )
        patients = (permit.patient.patient_id, *(each.patient_id for each in merged))
        found = self._consents_of(permit, patients[0], patients)
        for each in merged:
            more = self._consents_of(permit, each.patient_id, patients)
            found.add(more, () if each.shown else ("Consent-forbidden", "Consent-not-offered"))
        if not complete:
            found.problem("ehr-merged")
        rows = filed(found.rows, ehr.server.base, lambda reference: ehr.server.shown(permit, reference))
        return Fetched(rows, tuple(found.problems))

    def _consents_of(self, permit: IndexPermit, patient_id: str, patients: tuple[str, ...]) -> Found:
        wanted = {"patient": patient_id, "status": "active"}
        return self._search(permit, "Consent", wanted, about="patient", patients=patients)[1]

    @_noted
    def report(self, permit: Permit, report_id: str) -> ReportDocument:
        """One report of the patient, to be read. Raises NotFound, AccessDenied when the permit is not for reports."""
        ehr = self._ehr(permit)
        document = Assembler(ehr.server, permit, ehr.zone).document(self._report(permit, report_id))
        permit.check()
        return document

    @_noted
    def report_resource(self, permit: Permit, report_id: str) -> Json:
        """The DiagnosticReport itself, as it came, to be handed on in part. Raises as `report` does; NotFound also for
        one that names another patient besides (threat A18).
        """
        resource = self._report(permit, report_id, _REPORTED)
        if names_others(resource, permit.patient.patient_id, self._ehr(permit).server.base):
            self._record("ehr.names-others", permit.patient, "DiagnosticReport")
            raise NotFound
        permit.check()
        return resource

    @_noted
    def person(self, permit: Permit, reference: str) -> Json:
        """Somebody whom a resource of the patient names (Practitioner, Organization), or the RelatedPerson who
        granted; whether it may be shown is the caller's to know. NotFound for other types, and for whom the EHR hides.
        """
        server = self._ehr(permit).server
        named = read_reference(reference, server.base)
        if named is None or named.type not in _NAMED:
            raise NotFound
        permit.check()
        person = server.shown(permit, named)
        if person is None:
            raise NotFound
        mine = reference_in(person, "patient", server.base) == Reference("Patient", permit.patient.patient_id)
        if named.type == "RelatedPerson" and not (confined(permit) or mine):
            raise NotFound
        return person

    @_noted
    def attachment(self, permit: Permit, report_id: str, index: int) -> tuple[str, bytes]:
        """A file of the report: its declared media type and its bytes, at most 20 MiB. Raises as `report` does."""
        forms = attachments.forms(self._report(permit, report_id))
        if not 0 <= index < len(forms):
            raise NotFound
        body = attachments.body_of(self._ehr(permit).server, permit, forms[index])
        permit.check()
        return attachments.media_type(forms[index]), body

    def _failed(self, provider: str, error: UpstreamError) -> None:
        """Notes that the EHR gave no answer, or none that can be used."""
        event = event_of("ehr", error, provider)
        if event is not None:
            self._audit.note(event)

    def _report(self, permit: Permit, report_id: str, actions: frozenset[Action] = _READING) -> Json:
        if permit.action not in actions:
            raise AccessDenied(Reason("report-not-permitted", "permit"))
        permit.check()
        if not is_id(report_id):
            raise NotFound
        server = self._ehr(permit).server
        resource = server.read(permit, Reference("DiagnosticReport", report_id))
        if not is_of(resource, permit.patient.patient_id, server.base):
            self._record("ehr.mismatch", permit.patient, "DiagnosticReport")
            raise UpstreamMismatch("ehr-mismatch")
        return resource

    def _search(
        self,
        permit: IndexPermit,
        type_: str,
        more: Mapping[str, str] | None = None,
        about: str = "subject",
        patients: tuple[str, ...] = (),
    ) -> tuple[_Ehr, Found]:
        """What is of the permit's patient, or of one of `patients`, who are the same."""
        ehr, patient = self._ehr(permit), permit.patient
        params = {"patient": patient.patient_id, "_count": _PAGE, **(more or {})}
        own = patients or (patient.patient_id,)
        found = search(ehr.server, permit, type_, params, own, self._bounds, self._clock, about)
        if found.foreign:
            self._record("ehr.mismatch", patient, type_)
        if "smart.offorigin" in found.problems:
            self._record("smart.offorigin", patient, type_)
        if "ehr-paging" in found.problems:
            detail = {"code": "ehr-paging", "upstream": "ehr"}
            self._audit.note(Event("ehr.paging", provider=patient.provider, detail=detail))
        return ehr, found

    def _ehr(self, permit: SignInPermit | IndexPermit | Permit) -> _Ehr:
        return self._ehrs[permit.provider]

    def _record(self, kind: str, patient: PatientKey, type_: str) -> None:
        self._audit.record(Event(kind=kind, severity="high", patient=patient, detail={"type": type_}))


def _patient_of(permit: SignInPermit | IndexPermit | Permit) -> PatientKey:
    return PatientKey(permit.provider, permit.patient_id) if isinstance(permit, SignInPermit) else permit.patient
