"""No permit without a yes, and no yes that is not written down first."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from smartapp.access.service import Access
from smartapp.consent.model import Action, Decision, Extent, IndexPermit, Permit, Purpose, Question
from smartapp.consent.policy import decide
from smartapp.errors import AccessDenied, AuditUnavailable, PermitEnded
from smartapp.identity.model import PatientKey, Principal, PrincipalKind
from tests.access.faults import broken
from tests.access.house import ANA, BEN, House, study
from tests.access.trail import detail, disclosure, kinds, rows


def view(house: House, who: Principal, *uids: str) -> Permit:
    studies = [study(uid) for uid in uids or ("1.2.3",)]
    return house.access.permit(who, Action.VIEW_IMAGES, studies, extent=Extent.IMAGES, request_id="req-1")


@pytest.mark.promise("A3")
@pytest.mark.promise("E1")
def test_a_patient_gets_a_permit_for_their_own_study_and_it_is_on_record(house: House) -> None:
    who = house.principal()
    permit = view(house, who)
    permit.check()
    permit.require("1.2.3")
    with pytest.raises(AccessDenied):
        permit.require("1.2.4")
    assert (permit.principal, permit.patient, permit.purpose) == (who, ANA, Purpose.PATRQT)
    assert permit.expires_at == who.expires_at
    (intent,) = rows(house, "disclosure.opened")
    assert (intent.disclosure_id, intent.request_id) == (permit.disclosure_id, "req-1")
    assert detail(house, intent, ANA)["study"] == "1.2.3"


@pytest.mark.promise("A6")
def test_a_representative_acts_visibly_as_themselves(house: House) -> None:
    who = house.principal(kind=PrincipalKind.REPRESENTATIVE)
    permit = view(house, who)
    assert permit.purpose is Purpose.FAMRQT
    assert detail(house, rows(house, "disclosure.opened")[0], ANA)["authority"] == "representative"
    assert permit.disclosure_id != view(house, house.principal()).disclosure_id


@pytest.mark.promise("A2")
def test_a_list_is_narrowed_to_what_is_visible(house: House) -> None:
    studies = [study("1"), study("2", BEN), study("3", ANA, BEN), study("4", contradicted=True)]
    permit = house.access.permit(house.principal(), Action.LIST, studies, extent=Extent.SUMMARY, request_id="r")
    assert permit.studies == {"1"}
    assert detail(house, rows(house, "disclosure.opened")[0], ANA)["study"] == ""


@pytest.mark.promise("E1")
@pytest.mark.parametrize("action", [Action.READ_REPORT, Action.VIEW_IMAGES])
def test_a_no_is_written_down_and_then_raised_with_its_reasons(house: House, action: Action) -> None:
    who = house.principal()
    with pytest.raises(AccessDenied) as raised:
        house.access.permit(who, action, [study("1.2.3", BEN)], extent=Extent.IMAGES, request_id="req-1")
    assert [reason.code for reason in raised.value.reasons] == ["foreign"]
    (row,) = rows(house, "authz.denied")
    assert row.request_id == "req-1"
    assert detail(house, row, ANA) == {
        "action": action.value,
        "purpose": "PATRQT",
        "reasons": "foreign",
        "studies": "1.2.3",
        "asked": "1",
    }
    assert "disclosure.opened" not in kinds(house)


def test_a_no_about_many_studies_is_a_small_row(house: House) -> None:
    studies = [study(f"1.{number}", BEN) for number in range(500)]
    with pytest.raises(AccessDenied):
        house.access.permit(house.principal(), Action.VIEW_IMAGES, studies, extent=Extent.IMAGES, request_id="r")
    (row,) = rows(house, "authz.denied")
    assert detail(house, row, ANA)["asked"] == "500"
    assert len(row.detail) < 500


@pytest.mark.promise("D1")
def test_a_clinician_reaches_nothing_yet(house: House) -> None:
    who = house.principal(kind=PrincipalKind.CLINICIAN)
    for ask in (lambda: view(house, who), lambda: house.access.index(who, "r")):
        with pytest.raises(AccessDenied, match="no-rule"):
            ask()
    assert len(rows(house, "authz.denied")) == 2
    assert "access.index" not in kinds(house)


@pytest.mark.promise("E1")
def test_the_no_survives_what_the_caller_rolls_back(house: House) -> None:
    """With SQLite a write of the caller's would be in the way: so none may be open, and this says so loudly."""
    who = house.principal(kind=PrincipalKind.CLINICIAN)
    with pytest.raises(RuntimeError, match="write inside a write"), house.database.write():
        view(house, who)
    with pytest.raises(AccessDenied), house.database.read():
        view(house, who)
    assert "authz.denied" in kinds(house)


@pytest.mark.parametrize(
    ("action", "asked", "recorded"),
    [
        (Action.LIST, Extent.SUMMARY, "summary"),
        (Action.LIST, Extent.IMAGES, "images"),
        (Action.READ_REPORT, Extent.SUMMARY, "report"),
        (Action.VIEW_IMAGES, Extent.SUMMARY, "images"),
        (Action.VIEW_IMAGES, Extent.IMAGES, "images"),
    ],
)
def test_the_extent_on_record_is_never_less_than_the_permit_reaches(
    house: House, action: Action, asked: Extent, recorded: str
) -> None:
    permit = house.access.permit(house.principal(), action, [study()], extent=asked, request_id="r")
    assert disclosure(house, permit.disclosure_id).extent == recorded


@pytest.mark.promise("E1")
def test_the_same_question_again_is_covered_and_another_study_is_not(house: House) -> None:
    who = house.principal()
    first = view(house, who)
    assert view(house.another(), who).disclosure_id == first.disclosure_id
    assert view(house, who, "1.2.4").disclosure_id != first.disclosure_id
    assert view(house, who, "1.2.3", "1.2.4").disclosure_id != first.disclosure_id


@pytest.mark.promise("E3")
def test_a_permit_is_not_held_after_sign_out_on_another_worker(house: House) -> None:
    who = house.principal()
    permit = view(house, who)
    house.another().identity.end(who.session_id)
    with pytest.raises(PermitEnded):
        permit.check()
    with pytest.raises(PermitEnded):
        view(house, who)
    with pytest.raises(PermitEnded):
        house.access.index(who, "r")


@pytest.mark.threat("A30")
@pytest.mark.promise("A6")
def test_a_permit_is_not_held_past_its_end(house: House) -> None:
    """And the trail says once that a representative's right is over, however often it is used."""
    end = house.clock.now() + timedelta(minutes=5)
    opened = house.sign_in(kind=PrincipalKind.REPRESENTATIVE, expires_at=end)
    permit = view(house, house.identity.principal(house.browser(opened), opened.context_id))
    house.clock.advance(299)
    permit.check()
    house.clock.advance(1)
    with pytest.raises(PermitEnded):
        permit.check()
    with pytest.raises(PermitEnded):
        view(house, permit.principal)
    assert [row.kind for row in rows(house)].count("proxy.expired") == 1


def test_an_idle_session_holds_no_permit(house: House) -> None:
    permit = view(house, house.principal())
    house.clock.advance(15 * 60)
    with pytest.raises(PermitEnded):
        permit.check()


@pytest.mark.promise("E1")
def test_an_index_permit_is_recorded_once_per_refresh(house: House) -> None:
    who = house.principal()
    permit = house.access.index(who, "req-7")
    assert isinstance(permit, IndexPermit)
    assert (permit.patient, permit.credential_id) == (ANA, "cred-of-ana")
    (row,) = rows(house, "access.index")
    assert row.request_id == "req-7"


@pytest.mark.promise("E1")
def test_a_sign_in_permit_is_recorded_before_there_is_anybody(house: House) -> None:
    permit = house.access.sign_in("st-elsewhere", "ana", "cred-1", "req-1")
    assert (permit.provider, permit.patient_id, permit.credential_id) == ("st-elsewhere", "ana", "cred-1")
    (row,) = rows(house, "access.sign-in")
    assert (row.request_id, row.principal_ref, row.session_ref) == ("req-1", "", "")


@pytest.mark.promise("E1")
@pytest.mark.threat("T11")
@pytest.mark.parametrize("way", ["view", "deny", "index", "sign-in"])
def test_without_a_trail_there_is_no_permit_and_no_reason_either(house: House, way: str) -> None:
    who = house.principal()
    ways: dict[str, Callable[[], object]] = {
        "view": lambda: view(house, who),
        "deny": lambda: house.access.permit(
            who, Action.VIEW_IMAGES, [study("1", BEN)], extent=Extent.IMAGES, request_id="r"
        ),
        "index": lambda: house.access.index(who, "r"),
        "sign-in": lambda: house.access.sign_in("st-elsewhere", "ana", "c", "r"),
    }
    before = kinds(house)
    with broken(house.database, "audit_events"), pytest.raises(AuditUnavailable):
        ways[way]()
    assert kinds(house) == before


@pytest.mark.promise("E1")
def test_the_policy_is_asked_before_anything_is_written_and_its_no_is_final(house: House) -> None:
    asked: list[Question] = []

    def no(question: Question) -> Decision:
        asked.append(question)
        assert kinds(house) == ["session.open"]
        return replace(decide(question), allowed=False)

    access = Access(no, house.audit, house.identity, house.clock)
    who = house.principal()
    with pytest.raises(AccessDenied):
        access.permit(who, Action.LIST, [], extent=Extent.SUMMARY, request_id="r")
    assert [(question.patient, question.at) for question in asked] == [(ANA, house.clock.now())]


@pytest.mark.threat("S21")
def test_two_patients_of_the_same_id_at_two_hospitals_stay_apart(house: House) -> None:
    elsewhere = PatientKey("county", "ana")
    who = house.principal(elsewhere)
    with pytest.raises(AccessDenied, match="foreign"):
        view(house, who)
    permit = house.access.permit(who, Action.LIST, [study("1", elsewhere)], extent=Extent.SUMMARY, request_id="r")
    assert permit.provider == "county"
    assert permit.studies == {"1"}
