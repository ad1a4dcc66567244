"""Consents by hand: what each says to an app, one line for each."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from smartapp.consent.directives.model import Named, Unreadable
from tests.consent.directives.made import (
    CLIENTS,
    DCM,
    LOINC,
    ME,
    OPT_IN,
    OPT_OUT,
    SCT,
    SENSITIVE,
    TERMS,
    TYPES,
    V3,
    actor,
    app,
    concept,
    consent,
    denied,
    judge,
    report,
    study,
)

HARBOR = {"Organization/h": Named(names=("Harbor Occupational Health",))}
pytestmark = pytest.mark.promise("B5")


def coding(system: str, code: str) -> dict[str, str]:
    return {"system": system, "code": code}


@pytest.mark.parametrize(
    ("provision", "rule", "no"),
    [
        (None, OPT_OUT, True),
        (None, OPT_IN, False),
        (None, None, False),
        (None, concept("urn:x", "some-policy"), False),
        ({}, OPT_OUT, True),
        ({"type": "deny"}, OPT_OUT, True),
        ({"type": "deny"}, OPT_IN, True),
        ({"type": "deny"}, None, True),
        ({"type": "permit"}, None, False),
        ({"type": "permit"}, OPT_IN, False),
        # an exception from the rule, and everything else stays as the rule has it
        ({"type": "permit", "actor": [app()]}, OPT_OUT, False),
        ({"type": "permit", "actor": [app("app-2")]}, OPT_OUT, True),
        ({"type": "deny", "actor": [app()]}, OPT_IN, True),
        ({"type": "deny", "actor": [app("app-2")]}, OPT_IN, False),
        # the same type: where the rule holds
        ({"type": "deny", "actor": [app("app-2")]}, OPT_OUT, False),
        ({"actor": [app("app-2")]}, OPT_OUT, False),
        ({"actor": [app()]}, OPT_OUT, True),
        # nobody says what the root does
        ({"actor": [app()]}, None, True),
        ({"provision": [{"type": "permit", "actor": [app("app-2")]}]}, None, True),
        ({"provision": [{"type": "permit", "actor": [app()]}]}, None, False),
        ({"provision": [{"type": "deny", "actor": [app("app-2")]}]}, None, False),
        ({"provision": [{"type": "deny", "actor": [app()]}]}, None, True),
        # each level excepts the one above
        ({"provision": [{"type": "permit"}]}, OPT_OUT, False),
        ({"provision": [{"type": "permit", "provision": [{"type": "deny"}]}]}, OPT_OUT, True),
        (
            {"provision": [{"type": "permit", "provision": [{"type": "deny", "provision": [{"type": "permit"}]}]}]},
            OPT_OUT,
            False,
        ),
        ({"provision": [{"type": "permit"}, {"type": "deny"}]}, OPT_OUT, True),
        ({"provision": [{"type": "deny"}, {"type": "permit"}]}, OPT_IN, True),
        ({"provision": [{"type": "deny", "actor": [app("app-2")], "provision": [{"type": "deny"}]}]}, OPT_IN, False),
        # a type that is none
        ({"provision": [{"actor": [app()]}]}, OPT_IN, True),
        ({"provision": [{"type": "maybe", "actor": [app()]}]}, OPT_IN, True),
        ({"type": "perhaps"}, OPT_IN, False),
        ({"type": "perhaps"}, None, True),
    ],
)
def test_levels_and_the_rule_above_them(provision: Any, rule: Any, no: Any) -> None:
    assert denied(consent(provision, rule)) is no


@pytest.mark.parametrize("status", ["draft", "proposed", "rejected", "inactive", "entered-in-error"])
def test_only_an_active_one_counts(status: str) -> None:
    assert not denied(consent(rule=OPT_OUT, status=status))


@pytest.mark.parametrize(
    ("scope", "purpose", "no"),
    [("patient-privacy", "PATRQT", True), ("adr", "PATRQT", False), ("treatment", "PATRQT", False),
     ("research", "PATRQT", False), ("research", "HRESCH", True), ("something", "PATRQT", True)],
)  # fmt: skip
def test_a_consent_about_something_else_than_the_record_keeps_nothing(scope: str, purpose: str, no: Any) -> None:
    one = consent(rule=OPT_OUT, scope=concept(f"{TERMS}/consentscope", scope))
    assert denied(one, who=replace(ME, purpose=purpose)) is no


@pytest.mark.parametrize(
    ("period", "no"),
    [
        ({}, True),
        ({"start": "2026"}, True),
        ({"start": "2026-03-02"}, True),
        ({"start": "2026-03-03"}, False),
        ({"end": "2026-03-02"}, True),
        ({"end": "2026-03-01"}, False),
        ({"end": "2026-03-02T12:00:00Z"}, True),
        ({"end": "2026-03-02T11:59:59Z"}, False),
        ({"start": "2026-03-02T12:00:01Z"}, False),
        ({"start": "2026-03-02T13:00:00+01:00"}, True),
        ({"end": "9999-12-31"}, True),
        ({"start": "soon"}, True),
        ({"start": "2026-13-01"}, True),
        ("always", True),
    ],
)
def test_only_in_its_period(period: Any, no: Any) -> None:
    assert denied(consent({"type": "deny", "period": period})) is no
    nested = consent({"provision": [{"type": "deny", "period": period}]}, OPT_IN)
    assert denied(nested) is no


def test_a_rule_with_an_exception_at_its_root_is_over_when_its_period_is() -> None:
    one = consent({"type": "permit", "actor": [app("app-2")], "period": {"end": "2026-03-01"}}, OPT_OUT)
    assert not denied(one)


@pytest.mark.parametrize(
    ("who", "no", "excepted"),
    [
        (app(), True, True),
        (app("app-2"), False, False),
        (app(system="urn:other"), True, False),  # a name under which the hospital may know the same app
        (actor("Organization/h"), False, False),
        (actor("Organization/unknown"), True, False),
        (actor("https://other.example/fhir/Organization/h"), True, False),
        (actor("Practitioner/lee"), False, False),
        (actor("PractitionerRole/lee"), False, False),
        (actor("RelatedPerson/mother"), False, False),
        (actor("Patient/ana"), False, False),
        (actor("CareTeam/1"), True, False),
        (actor("Group/1"), True, False),
        (actor("Device/d"), True, False),
        (actor("Organization/hospital"), True, False),  # whoever keeps the record: then nobody gets it
        (actor(display="Somebody"), True, False),
        (actor("Organization/h", role=concept(f"{TERMS}/v3-ParticipationType", "CST")), True, False),
        (actor("Practitioner/lee", role={"text": "doctor"}), True, False),
        ({"reference": {"reference": "Practitioner/lee"}}, True, False),
        ({}, True, False),
    ],
)
def test_whom_a_provision_names(who: Any, no: Any, excepted: Any) -> None:
    """A denial counts when it may be the app's; a permission only when it surely is."""
    named = HARBOR | {"Organization/hospital": Named(names=("St. Elsewhere Health",))}
    keeper: dict[str, Any] = {"organization": [{"reference": "Organization/hospital"}]}
    assert denied(consent({"type": "deny", "actor": [who]}, **keeper), named=named) is no
    permit = {"type": "permit", "actor": [who]}
    assert denied(consent({"type": "deny", "provision": [permit]}, **keeper), named=named) is not excepted


@pytest.mark.parametrize(
    ("organization", "mine", "no"),
    [
        ("Harbor Occupational Health", ("Sunny Viewer", "sunny.example"), False),
        ("Harbor Occupational Health", ("Harbor Health",), True),
        ("Harbor Occupational Health", ("HARBOR-app",), True),
        ("Harbor Occupational Health", ("Sunny Viewer", "my.harboroh.example"), True),
        ("Harbór Health", ("Harbor",), True),
        ("Health Services Group", ("Sunny Viewer",), True),  # says nothing that tells it from others
        ("Harbor Occupational Health", (), True),  # an app that nobody knows
        ("Harbor Occupational Health", ("Health App",), True),
        ("", ("Sunny Viewer",), True),
        ("OH", ("Sunny Viewer",), False),
        ("OH", ("OH Sunny",), True),
    ],
)
def test_an_organization_is_another_only_when_its_name_evidently_is(
    organization: str, mine: tuple[str, ...], no: Any
) -> None:
    one = consent({"type": "deny", "actor": [actor("Organization/h")]})
    named = {"Organization/h": Named(names=(organization,) if organization else ())}
    assert denied(one, who=replace(ME, names=mine), named=named) is no
    excepted = consent({"provision": [{"type": "permit", "actor": [actor("Organization/h")]}]}, OPT_OUT)
    assert denied(excepted, who=replace(ME, names=mine), named=named)


def test_our_own_identifier_of_an_app_decides_wherever_it_is_found() -> None:
    mine, other = ({"Device/d": Named("Device", identifiers=((CLIENTS, client),))} for client in ("app-1", "app-2"))
    one = consent({"type": "deny", "actor": [actor("Device/d")]})
    assert denied(one, named=mine)
    assert not denied(one, named=other)


@pytest.mark.parametrize(
    ("code", "no", "excepted"),
    [("access", True, True), ("disclose", True, True), ("use", True, False), ("collect", False, False),
     ("correct", False, False), ("other", True, False)],
)  # fmt: skip
def test_what_is_done(code: str, no: Any, excepted: Any) -> None:
    actions = [concept(f"{TERMS}/consentaction", code)]
    assert denied(consent({"type": "deny", "action": actions})) is no
    assert denied(consent({"provision": [{"type": "permit", "action": actions}]}, OPT_OUT)) is not excepted


@pytest.mark.parametrize(
    ("mine", "purpose", "no", "excepted"),
    [
        ("PATRQT", "PATRQT", True, True),
        ("PATRQT", "HRESCH", False, False),
        ("PATRQT", "HMARKT", False, False),
        ("PATRQT", "FAMRQT", True, False),
        ("COC", "TREAT", True, False),
        ("TREAT", "PATRQT", False, False),
        ("PATRQT", "BIORCH", True, False),
    ],
)
def test_what_for(mine: str, purpose: str, no: Any, excepted: Any) -> None:
    who, purposes = replace(ME, purpose=mine), [coding(f"{TERMS}/v3-ActReason", purpose)]
    assert denied(consent({"type": "deny", "purpose": purposes}), who=who) is no
    assert denied(consent({"provision": [{"type": "permit", "purpose": purposes}]}, OPT_OUT), who=who) is not excepted


@pytest.mark.parametrize(
    ("element", "facts", "no", "excepted"),
    [
        ({"class": [coding(TYPES, "ImagingStudy")]}, {}, True, True),
        ({"class": [coding(TYPES, "DiagnosticReport")]}, {}, False, False),
        ({"class": [coding(TYPES, "Condition"), coding(TYPES, "Resource")]}, {}, True, True),
        ({"class": [coding(TYPES, "Media")]}, {}, True, False),
        ({"class": [coding("urn:ietf:bcp:13", "application/dicom")]}, {}, True, False),
        ({"code": [concept(DCM, "CT")]}, {}, True, True),
        ({"code": [concept(DCM, "MR")]}, {}, False, False),
        ({"code": [concept(DCM, "MR")]}, {"modalities": frozenset(), "series": ()}, True, False),
        ({"code": [concept(DCM, "CT")]}, {"modalities": frozenset({"CT", "PT"})}, True, False),
        ({"code": [concept(DCM, "PT"), concept(DCM, "CT")]}, {"modalities": frozenset({"CT", "PT"})}, True, True),
        ({"code": [concept(SCT, "51185008")]}, {}, True, True),
        ({"code": [concept(SCT, "69536005")]}, {}, False, False),
        ({"code": [concept(SCT, "69536005")]}, {"body_sites": frozenset(), "series": ()}, True, False),
        ({"code": [concept(LOINC, "24627-2")]}, {}, True, True),
        ({"code": [concept(LOINC, "5017-9")]}, {}, False, False),
        ({"code": [concept(LOINC, "5017-9")]}, {"coded": None}, True, False),
        ({"code": [{"text": "lungs"}]}, {}, True, False),
        ({"code": [{"coding": [{"code": "CT"}]}]}, {}, True, False),
        ({"securityLabel": [coding(V3, "R")]}, {}, False, False),
        ({"securityLabel": [coding(V3, "R")]}, {"labels": frozenset({f"{V3}|R"})}, True, True),
        ({"securityLabel": [coding(V3, "R")]}, {"labels": frozenset({f"{V3}|V"})}, True, False),
        ({"securityLabel": [coding(V3, "R")]}, {"labels": frozenset({f"{V3}|N"})}, False, True),
        ({"securityLabel": [coding(V3, "R")]}, {"labels": frozenset({f"{V3}|X"})}, True, False),
        ({"securityLabel": [coding(V3, "N")]}, {}, True, False),
        ({"securityLabel": [coding(V3, "X")]}, {}, True, False),
        ({"securityLabel": [coding(SENSITIVE, "HIV")]}, {"labels": frozenset({f"{SENSITIVE}|HIV"})}, True, True),
        ({"securityLabel": [coding(SENSITIVE, "STD")]}, {"labels": frozenset({f"{SENSITIVE}|HIV"})}, True, False),
        ({"securityLabel": [coding(SENSITIVE, "HIV")]}, {"labels": frozenset({f"{V3}|R"})}, False, False),
        ({"securityLabel": [coding("", "R")]}, {}, True, False),
        ({"dataPeriod": {"start": "2025"}}, {}, True, True),
        ({"dataPeriod": {"start": "2025-05-05", "end": "2025-05-05"}}, {}, True, True),
        ({"dataPeriod": {"start": "2025-05-06"}}, {}, False, False),
        ({"dataPeriod": {"end": "2025-05-04"}}, {}, False, False),
        ({"dataPeriod": {"start": "2025-05-05T12:00:00Z"}}, {}, True, False),
        ({"dataPeriod": {"start": "2025"}}, {"started": None}, True, False),
        ({"dataPeriod": {"start": "then"}}, {}, True, False),
        ({"data": [{"meaning": "instance", "reference": {"reference": "ImagingStudy/i1"}}]}, {}, True, True),
        ({"data": [{"meaning": "instance", "reference": {"reference": "ImagingStudy/i2"}}]}, {}, False, False),
        ({"data": [{"meaning": "instance", "reference": {"reference": "Observation/i1"}}]}, {}, False, False),
        ({"data": [{"meaning": "instance", "reference": {"reference": "https://x.example/ImagingStudy/i1"}}]}, {}, True,
         False),
        ({"data": [{"meaning": "instance", "reference": {"identifier": {"system": "urn:dicom:uid",
                                                                        "value": "urn:oid:1.2.3"}}}]}, {}, True, True),
        ({"data": [{"meaning": "instance", "reference": {"identifier": {"system": "urn:dicom:uid",
                                                                        "value": "urn:oid:1.2"}}}]}, {}, False, False),
        ({"data": [{"meaning": "instance", "reference": {"identifier": {"system": "urn:accession", "value": "A1"}}}]},
         {}, True, False),
        ({"data": [{"meaning": "related", "reference": {"reference": "DiagnosticReport/r1"}}]}, {}, True, False),
        ({"data": [{"meaning": "related", "reference": {"reference": "DiagnosticReport/r2"}}]}, {}, False, False),
        ({"data": [{"meaning": "dependents", "reference": {"reference": "ServiceRequest/s1"}}]}, {}, True, False),
        ({"data": [{"meaning": "authoredby", "reference": {"reference": "Practitioner/lee"}}]}, {}, True, False),
        ({"expression": "anything"}, {}, True, False),
        ({"modifierExtension": [{"url": "x"}]}, {}, True, False),
        ({"_type": {"extension": []}}, {}, True, False),
        ({"class": []}, {}, True, False),
        ({"class": "ImagingStudy"}, {}, True, False),
        ({"code": ["CT"]}, {}, True, False),
        ({"extension": [{"url": "x"}], "id": "p1"}, {}, True, True),
    ],
)  # fmt: skip
def test_what_of_the_record(element: Any, facts: Any, no: Any, excepted: Any) -> None:
    """What cannot be told counts as a denial if it denies, and is absent if it permits."""
    seen = study(**{"reports": (report(),), **facts})
    assert denied(consent({"type": "deny", **element}), facts=seen) is no
    assert denied(consent({"provision": [{"type": "permit", **element}]}, OPT_OUT), facts=seen) is not excepted


def test_all_elements_of_a_provision_have_to_fit_and_one_of_each() -> None:
    both = {"class": [coding(TYPES, "ImagingStudy")], "code": [concept(DCM, "MR"), concept(DCM, "CT")]}
    assert denied(consent({"type": "deny", **both}))
    assert not denied(consent({"type": "deny", **both, "dataPeriod": {"end": "2020"}}))


def test_a_denial_of_one_consent_outweighs_every_permission_of_others() -> None:
    wide, narrow = consent({"type": "permit"}, OPT_IN, id="c1"), consent({"type": "deny", "actor": [app()]}, id="c2")
    assert judge(wide, narrow).of_study(study()) == judge(narrow, wide).of_study(study()) == ("c2",)
    assert judge(wide).of_study(study()) == ()


REPORTED = study(reports=(report("r1"), report("r2", coded=frozenset({f"{LOINC}|18748-4"}), date=date(2025, 6, 1))))


@pytest.mark.parametrize(
    ("element", "kept"),
    [
        ({"class": [coding(TYPES, "DiagnosticReport")]}, {"r1", "r2"}),
        ({"class": [coding(TYPES, "Binary")]}, {"r1", "r2"}),
        ({"class": [coding(TYPES, "ImagingStudy")]}, set()),
        ({"code": [concept(LOINC, "24627-2")]}, {"r1"}),
        ({"code": [concept(DCM, "CT")]}, {"r1", "r2"}),
        ({"dataPeriod": {"start": "2025-06-01"}}, {"r2"}),
        ({"dataPeriod": {"start": "2025-05-05", "end": "2025-05-06"}}, {"r1", "r2"}),
        ({"data": [{"meaning": "instance", "reference": {"reference": "DiagnosticReport/r2"}}]}, {"r2"}),
        ({"data": [{"meaning": "dependents", "reference": {"reference": "ImagingStudy/i1"}}]}, {"r1", "r2"}),
    ],
)
def test_reports_are_judged_one_by_one(element: Any, kept: set[str]) -> None:
    found = judge(consent({"type": "deny", **element}))
    assert {one.id for one in REPORTED.reports if found.of_report(REPORTED, one)} == kept
    assert bool(found.of_reports(REPORTED)) is (kept == {"r1", "r2"})


def test_a_study_whose_reports_nobody_knows_is_judged_by_what_any_would_be() -> None:
    found = judge(consent({"type": "deny", "code": [concept(LOINC, "24627-2")]}))
    assert found.of_reports(study()) == ("c1",)


@pytest.mark.parametrize(
    "broken",
    [
        {"status": None},
        {"status": 1},
        {"id": None},
        {"provision": "everybody"},
        {"provision": {"type": "deny", "provision": "x"}},
        {"provision": {"type": "deny", "provision": ["x"]}},
        {"provision": {"provision": [{"type": "deny"}] * 501}},
        {"modifierExtension": [{"url": "x"}]},
        {"implicitRules": "urn:x"},
    ],
)
def test_what_is_no_consent_is_said_to_be_none(broken: Any) -> None:
    with pytest.raises(Unreadable):
        judge(consent(**broken))


def test_levels_without_end_are_no_consent() -> None:
    deep: Any = {"type": "deny"}
    for _ in range(12):
        deep = {"type": "deny", "provision": [deep]}
    with pytest.raises(Unreadable):
        judge(consent(deep))


def test_the_same_question_costs_little() -> None:
    """What the app alone decides is decided once: a Consent that names others is not asked about each study."""
    others = consent({"type": "deny", "actor": [app("app-2")], "code": [concept(DCM, "CT")]})
    assert judge(others).rules == ()
    assert judge(consent(rule=OPT_IN)).rules == ()
    assert len(judge(others, consent({"type": "deny"}, id="c2")).rules) == 1
