"""The truth table of the policy for apps: token, grant, moment, purpose and record, each of which can say no."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.consent.facts import StudyFacts
from smartapp.consent.grants.model import Terms
from smartapp.consent.model import LETTER, Action, AppPrincipal, Decision, Purpose, Question
from smartapp.consent.policy import decide, no_such_study
from smartapp.consent.reach import Reach
from smartapp.consent.scopes.grammar import parse
from smartapp.identity.model import PatientKey, PrincipalKind
from tests.consent import archive
from tests.consent.archive import ALL, ANA

BEN = PatientKey("st-elsewhere", "ben")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LONG = NOON + timedelta(days=90)


def app(scopes: str = "patient/*.rs", patient: PatientKey = ANA, **terms: object) -> AppPrincipal:
    return AppPrincipal(
        kind=PrincipalKind.APP,
        person_id="per-1",
        session_id="gra-1",
        context_id="fam-1",
        patient=patient,
        credential_id="cred-1",
        expires_at=NOON,
        client_id="app-1",
        grant_id="gra-1",
        scopes=parse(scopes),
        terms=Terms(scopes=ALL, **{"expires_at": LONG, **terms}),  # type: ignore[arg-type]  # of the field's own
    )


def study(uid: str = "1.1", **more: object) -> StudyFacts:
    facts: dict[str, object] = {
        "owners": frozenset({ANA}),
        "started": date(2025, 1, 1),
        "modalities": frozenset({"CT"}),
        "body_sites": frozenset({"CHEST"}),
    }
    return StudyFacts(uid, **{**facts, **more})  # type: ignore[arg-type]  # as named above


def ask(
    who: AppPrincipal,
    *studies: StudyFacts,
    action: Action = Action.READ,
    purpose: Purpose = Purpose.PATRQT,
    patient: PatientKey = ANA,
    at: datetime = NOON - timedelta(hours=1),
) -> Decision:
    return decide(Question(who, patient, action, purpose, at, studies))


NEEDS = {
    Action.READ: "ImagingStudy.r",
    Action.LIST: "ImagingStudy.s",
    Action.VIEW_IMAGES: "ImagingStudy.r",
    Action.READ_REPORT: "DiagnosticReport.r",
    Action.LIST_REPORTS: "DiagnosticReport.s",
}


@pytest.mark.promise("B3")
@pytest.mark.clause("SMART 2.2 server", "95")
def test_each_action_needs_its_type_and_letter_and_no_other() -> None:
    for action, type_, letter in itertools.product(
        NEEDS, ["ImagingStudy", "DiagnosticReport", "Patient", "*"], "cruds"
    ):
        decision = ask(app(f"patient/{type_}.{letter}"), study(), action=action)
        wanted_type, wanted_letter = NEEDS[action].split(".")
        expected = letter == wanted_letter and type_ in {wanted_type, "*"}
        assert decision.allowed is expected, (action, type_, letter)
        assert (decision.reasons[0].code == "insufficient-scope") is not expected


@pytest.mark.parametrize("action", [Action.INDEX, Action.READ_PERSON])
def test_what_needs_no_study_needs_any_right_to_read_or_search(action: Action) -> None:
    assert ask(app("patient/Patient.r"), action=action).allowed
    assert ask(app("patient/DiagnosticReport.s"), action=action).allowed
    for scopes in ("", "openid launch/patient", "patient/*.cud", "user/*.rs", "system/*.rs"):
        assert not ask(app(scopes), action=action).allowed, scopes


def test_who_granted_may_be_learned_with_the_word_for_it_alone() -> None:
    who = replace(app("openid fhirUser"), terms=Terms(scopes=parse("openid fhirUser")))
    assert ask(who, action=Action.READ_PERSON).allowed
    assert not ask(who, action=Action.INDEX).allowed


@pytest.mark.promise("B3")
def test_the_right_of_an_app_is_exactly_this_table() -> None:
    purposes = [Purpose.PATRQT, Purpose.TREAT, Purpose.HRESCH]
    ends: list[tuple[str, datetime | None]] = [("open", None), ("later", LONG), ("over", NOON - timedelta(hours=1))]
    for action, granted, asked, patient, at, (name, end), images in itertools.product(
        Action,
        purposes,
        purposes,
        [ANA, BEN],
        [NOON - timedelta(hours=1), NOON],
        ends,
        ["full", "deidentified", "none"],
    ):
        who = app(purpose=granted.value, expires_at=end, images=images)
        decision = ask(who, study(), action=action, purpose=asked, patient=patient, at=at)
        expected = (
            granted is asked
            and patient == ANA
            and at < NOON
            and name != "over"
            and not (action is Action.VIEW_IMAGES and images == "none")
        )
        assert decision.allowed is expected, (action, granted, asked, patient, at, name, images)
        assert decision.visible == (frozenset({"1.1"}) if expected else frozenset())


@pytest.mark.parametrize(
    ("who", "action", "code"),
    [
        (app(), Action.READ, "granted-record"),
        (app("patient/ImagingStudy.s"), Action.READ, "insufficient-scope"),
        (app("user/*.rs"), Action.READ, "insufficient-scope"),
        (app("system/*.rs"), Action.LIST, "insufficient-scope"),
        (app(images="none"), Action.VIEW_IMAGES, "images-not-granted"),
        (app(images="none"), Action.READ, "granted-record"),
        (app(expires_at=NOON - timedelta(hours=2)), Action.READ, "grant-ended"),
        (app(purpose="MARKETING"), Action.READ, "no-rule"),
        (app(reports=False), Action.READ_REPORT, "insufficient-scope"),
    ],
)
def test_every_no_says_which_rule_it_rests_on(who: AppPrincipal, action: Action, code: str) -> None:
    assert ask(who, study(), action=action).reasons[0].code == code


@pytest.mark.promise("B3")
@pytest.mark.threat("A28")
def test_a_system_token_reaches_nobody_whatever_its_client_may_ask_for() -> None:
    who = replace(app("system/*.cruds"), terms=Terms(scopes=parse("system/*.cruds patient/*.rs")))
    for action in Action:
        decision = ask(who, study(), action=action)
        assert not decision.allowed
        assert decision.visible == frozenset()


@pytest.mark.promise("B3")
@pytest.mark.threat("A29")
@pytest.mark.clause("SMART 2.2 server", "136")
@pytest.mark.parametrize("nobody", [PatientKey("st-elsewhere", ""), PatientKey("", ""), PatientKey("", "ana")])
@pytest.mark.parametrize("action", list(Action))
def test_a_patient_scope_without_a_patient_is_nobodys_and_not_everybodys(action: Action, nobody: PatientKey) -> None:
    decision = ask(app(patient=nobody), study(owners=frozenset({nobody})), action=action, patient=nobody)
    assert not decision.allowed
    assert [reason.code for reason in decision.reasons] == ["no-patient"]
    assert decision.visible == frozenset()


@pytest.mark.promise("B3")
@pytest.mark.clause("SMART 2.2 server", "119")
@pytest.mark.parametrize(
    "action", [Action.READ, Action.LIST, Action.VIEW_IMAGES, Action.READ_REPORT, Action.LIST_REPORTS]
)
@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (study(), "owned"),
        (study("1.2"), "outside-grant"),
        (study(labels=frozenset({"http://terminology.hl7.org/CodeSystem/v3-Confidentiality|R"})), "outside-grant"),
        (study(started=None), "outside-grant"),
        (study(modalities=frozenset({"MR"})), "outside-grant"),
        (study(body_sites=frozenset()), "outside-grant"),
        (study(contradicted=True), "contradicted"),
        (study(owners=frozenset({BEN})), "foreign"),
        (study(owners=frozenset({ANA, BEN})), "foreign"),
        (study(owners=frozenset()), "unowned"),
    ],
)
def test_a_study_is_the_patients_and_the_grants_or_it_is_not_there(
    action: Action, facts: StudyFacts, code: str
) -> None:
    who = app(
        chosen=frozenset({"1.1"}),
        modalities=frozenset({"CT"}),
        body_sites=frozenset({"CHEST"}),
        started_from=date(2024, 1, 1),
    )
    decision = ask(who, facts, action=action)
    lists = action in {Action.LIST, Action.LIST_REPORTS}
    assert decision.visible == (frozenset({facts.uid}) if code == "owned" else frozenset())
    assert decision.allowed is (lists or code == "owned")
    assert code in {reason.code for reason in decision.reasons}
    assert no_such_study(decision) is (not decision.allowed)


def test_a_no_to_the_right_itself_is_not_the_absence_of_a_study() -> None:
    assert not no_such_study(ask(app("patient/Patient.r"), study()))
    assert not no_such_study(ask(app(images="none"), study(), action=Action.VIEW_IMAGES))
    assert not no_such_study(ask(app()))
    assert not no_such_study(ask(app(), study()))


def test_an_app_is_never_judged_as_the_person_who_allowed_it() -> None:
    for kind in set(PrincipalKind) - {PrincipalKind.APP}:
        with pytest.raises(ValueError, match="kind APP"):
            replace(app(), kind=kind)


@given(archive.asks, archive.terms, archive.archives, st.sampled_from(Action))
def test_what_is_visible_is_what_the_reach_allows_of_what_is_the_patients(
    some: list[archive.Ask], terms: Terms, studies: list[StudyFacts], action: Action
) -> None:
    foreign = {"1.2.2": frozenset({BEN}), "1.2.3": frozenset({ANA, BEN})}
    told = [replace(one, owners=foreign.get(one.uid, one.owners)) for one in studies]
    who = replace(app(archive.written(some)), terms=terms)
    decision = ask(who, *told, action=action)
    reach = Reach.of(who)
    if "Report" in NEEDS.get(action, ""):
        allowed = {one.uid for one in told if reach.reports_of(one)}
    else:
        allowed = {one.uid for one in told if reach.study(one, LETTER[action])}
    right = decision.reasons[0].code not in {"insufficient-scope", "images-not-granted"}
    assert decision.visible == (frozenset(allowed - set(foreign)) if right else frozenset())
