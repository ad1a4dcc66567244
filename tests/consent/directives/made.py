"""Consents as an EHR would hold them, and what they are asked about."""

from datetime import UTC, date, datetime
from typing import Any

from smartapp.consent.directives.asking import Asker
from smartapp.consent.directives.judging import Judge
from smartapp.consent.directives.model import Filed, Named
from smartapp.consent.directives.onfile import read_all
from smartapp.consent.facts import ReportKnown, SeriesFacts, StudyFacts
from tests.consent.archive import ANA

Json = dict[str, Any]
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TERMS = "http://terminology.hl7.org/CodeSystem"
OURS = "https://images.example.org/st-elsewhere"
CLIENTS = f"{OURS}/clients"
V3 = f"{TERMS}/v3-Confidentiality"
SENSITIVE = f"{TERMS}/v3-ActCode"
TYPES = "http://hl7.org/fhir/resource-types"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
SCT = "http://snomed.info/sct"
LOINC = "http://loinc.org"
ME = Asker((CLIENTS, "app-1"), "PATRQT", ("Sunny Viewer", "sunny.example"))


def concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


OPT_OUT, OPT_IN = concept(f"{TERMS}/v3-ActCode", "OPTOUT"), concept(f"{TERMS}/v3-ActCode", "OPTIN")
RECIPIENT = concept(f"{TERMS}/v3-ParticipationType", "IRCP")


def consent(provision: Any = None, rule: Json | None = None, **more: Any) -> Json:
    found: Json = {
        "resourceType": "Consent",
        "id": "c1",
        "status": "active",
        "scope": concept(f"{TERMS}/consentscope", "patient-privacy"),
        "patient": {"reference": "Patient/ana"},
    }
    found |= {"policyRule": rule} if rule is not None else {}
    found |= {"provision": provision} if provision is not None else {}
    return found | more


def actor(reference: str = "", role: Json = RECIPIENT, **more: Any) -> Json:
    return {"role": role, "reference": {**({"reference": reference} if reference else {}), **more}}


def app(client_id: str = "app-1", system: str = CLIENTS) -> Json:
    return actor(type="Device", identifier={"system": system, "value": client_id})


def study(uid: str = "1.2.3", **more: Any) -> StudyFacts:
    facts: Json = {
        "owners": frozenset({ANA}),
        "started": date(2025, 5, 5),
        "modalities": frozenset({"CT"}),
        "body_sites": frozenset({"51185008"}),
        "series": (SeriesFacts("1.2.3.1", "CT", frozenset({"CHEST"})),),
        "resources": frozenset({"ImagingStudy/i1"}),
        "coded": frozenset({f"{DCM}|CT", f"{SCT}|51185008", f"{LOINC}|24627-2"}),
    }
    return StudyFacts(uid, **{**facts, **more})


def report(id_: str = "r1", **more: Any) -> ReportKnown:
    facts: Json = {"categories": frozenset(), "code": frozenset(), "date": date(2025, 5, 6), "status": "final"}
    return ReportKnown(id_, **{"coded": frozenset({f"{LOINC}|24627-2"}), **facts, **more})


def judge(*consents: Json, who: Asker = ME, at: datetime = NOON, named: dict[str, Named] | None = None) -> Judge:
    return Judge.of(read_all([Filed(each, named or {}) for each in consents], UTC), who, at, UTC)


def denied(*consents: Json, facts: StudyFacts | None = None, **how: Any) -> bool:
    """Whether the study is kept from the app."""
    return bool(judge(*consents, **how).of_study(facts if facts is not None else study()))
