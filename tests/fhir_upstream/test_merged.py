"""Consents of records that were merged into the patient's: sought where the EHR says so, and nobody else's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from smartapp.consent.model import IndexPermit
from smartapp.fhir.upstream.merged import MOST, Merged, merged_into
from smartapp.fhir.upstream.model import PatientRecord
from smartapp.fhir.upstream.patient import read_patient
from smartapp.tokens.model import SYSTEM
from tests.consent.directives.made import OPT_OUT, consent
from tests.fhir_upstream.fake_fhir import Desk, FakeFhir, bundle, fhir
from tests.launch.server import Asked, Said

pytestmark = pytest.mark.promise("B5")
Json = dict[str, Any]


def person(id_: str, *links: tuple[str, str], **more: Any) -> Json:
    told = [{"type": type_, "other": {"reference": f"Patient/{other}"}} for type_, other in links]
    return {"resourceType": "Patient", "id": id_, "link": told, **more}


def record(id_: str, *links: tuple[str, str]) -> PatientRecord:
    return read_patient(person(id_, *links), "")


def consents(ehr: FakeFhir, **found: Said | list[Json]) -> None:
    """What a search by each patient's id gives; nobody else is known."""

    def answer(asked: Asked) -> Said:
        one = found.get(asked.query["patient"], fhir({}, 404))
        return fhir(bundle(*one)) if isinstance(one, list) else one

    ehr.at("Consent", answer)


def of(patient: str, id_: str) -> Json:
    return consent(rule=OPT_OUT, id=id_, patient={"reference": f"Patient/{patient}"})


def fetched(desk: Desk, ehr: FakeFhir, *links: tuple[str, str]) -> tuple[list[str], tuple[str, ...]]:
    found = desk.reader.consents(desk.index, read_patient(person("ana", *links), ehr.base))
    return [one.resource["id"] for one in found.items], found.problems


def test_they_are_read_with_the_patients_own_each_once(desk: Desk, ehr: FakeFhir) -> None:
    ehr.at("Patient/before", person("before", active=False))
    moved = of("ana", "c1")
    consents(ehr, ana=[moved], before=[moved, of("before", "c2")])
    assert fetched(desk, ehr, ("replaces", "before")) == (["c1", "c2"], ())
    asked = [each.query for each in ehr.asked("Consent")]
    assert asked == [{"patient": id_, "_count": "100", "status": "active"} for id_ in ("ana", "before")]


def test_one_merge_after_the_other_is_followed(desk: Desk, ehr: FakeFhir) -> None:
    ehr.at("Patient/second", person("second", ("replaces", "first"), ("replaced-by", "ana")))
    ehr.at("Patient/first", person("first", ("replaced-by", "second"), ("replaces", "ana")))
    consents(ehr, ana=[], second=[], first=[of("first", "c1")])
    assert fetched(desk, ehr, ("replaces", "second")) == (["c1"], ())


@pytest.mark.threat("A4")
@pytest.mark.parametrize("link", ["seealso", "refer", "replaced-by", ""])
def test_other_links_lead_to_nobodys(desk: Desk, ehr: FakeFhir, link: str) -> None:
    consents(ehr, ana=[], before=[of("before", "c1")])
    assert fetched(desk, ehr, (link, "before")) == ([], ())
    assert [each.query["patient"] for each in ehr.asked("Consent")] == ["ana"]
    assert ehr.asked("Patient/before") == []


@pytest.mark.threat("A4")
def test_what_is_somebody_elses_is_a_problem_there_too(desk: Desk, ehr: FakeFhir) -> None:
    ehr.at("Patient/before", person("before"))
    consents(ehr, ana=[], before=[of("ben", "c1")])
    assert fetched(desk, ehr, ("replaces", "before")) == ([], ("Consent-foreign",))


@pytest.mark.promise("E8")
@pytest.mark.parametrize("status", [403, 404])
def test_a_record_that_is_shown_and_whose_consents_are_not_may_hold_a_denial(
    desk: Desk, ehr: FakeFhir, status: int
) -> None:
    consents(ehr, ana=[of("ana", "c1")], before=fhir({}, status))
    ehr.at("Patient/before", person("before"))
    [problem] = fetched(desk, ehr, ("replaces", "before"))[1]
    assert problem.startswith("Consent-")
    ehr.at("Patient/before", fhir({}, status))
    assert fetched(desk, ehr, ("replaces", "before")) == (["c1"], ()), "of such a record nothing else is known either"


def test_a_record_that_is_not_shown_may_still_tell_of_its_consents(desk: Desk, ehr: FakeFhir) -> None:
    ehr.at("Patient/before", fhir({}, 404))
    consents(ehr, ana=[], before=[of("before", "c1")])
    assert fetched(desk, ehr, ("replaces", "before")) == (["c1"], ())


@pytest.mark.promise("E8")
def test_more_merges_than_are_followed_leave_something_unknown(desk: Desk, ehr: FakeFhir) -> None:
    many = [f"p{n}" for n in range(MOST + 1)]
    for each in many:
        ehr.at(f"Patient/{each}", person(each))
    consents(ehr, ana=[], **{each: [] for each in many})
    assert fetched(desk, ehr, *(("replaces", each) for each in many[:MOST])) == ([], ())
    assert fetched(desk, ehr, *(("replaces", each) for each in many)) == ([], ("ehr-merged",))


@pytest.mark.threat("S22")
@pytest.mark.parametrize(("says", "found"), [(("replaced-by", "ana"), True), (("replaced-by", "ben"), False)])
def test_a_token_that_reaches_everybody_follows_only_who_says_the_same(
    desk: Desk, ehr: FakeFhir, says: tuple[str, str], *, found: bool
) -> None:
    desk.tokens.bearer = lambda permit: "token-1"  # type: ignore[method-assign]  # noqa: ARG005 -- as it is called
    ehr.at("Patient/before", person("before", says))
    consents(ehr, ana=[], before=[of("before", "c1")])
    permit: IndexPermit = replace(desk.index, credential_id=f"{SYSTEM}-1")
    read = desk.reader.consents(permit, read_patient(person("ana", ("replaces", "before")), ehr.base))
    assert [one.resource["id"] for one in read.items] == (["c1"] if found else [])
    assert len(ehr.asked("Consent")) == 1 + found


def test_what_is_not_shown_to_a_token_that_reaches_everybody_is_nobodys() -> None:
    assert merged_into(record("a", ("replaces", "b")), lambda _id: None, confined=False) == ([], True)
    assert merged_into(record("a", ("replaces", "b")), lambda _id: None, confined=True) == ([Merged("b", False)], True)
