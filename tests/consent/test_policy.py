"""The whole truth table of the policy, and what must hold of it whatever the facts are."""

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.consent.model import Action, Decision, Purpose, Question, StudyFacts
from smartapp.consent.policy import RIGHTS, STUDIES, decide
from smartapp.consent.rules import Effect
from smartapp.identity.model import PatientKey, Principal, PrincipalKind

ANA = PatientKey("st-elsewhere", "ana")
BEN = PatientKey("st-elsewhere", "ben")
ANA_ELSEWHERE = PatientKey("county", "ana")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def principal(kind: PrincipalKind = PrincipalKind.PATIENT, patient: PatientKey = ANA) -> Principal:
    return Principal(kind, "per-1", "ses-1", "ctx-1", patient, "cred-1", expires_at=NOON)


def study(uid: str, owners: frozenset[PatientKey], *, contradicted: bool = False) -> StudyFacts:
    return StudyFacts(uid, owners, date(2025, 1, 1), frozenset({"CT"}), frozenset(), contradicted=contradicted)


def ask(
    *studies: StudyFacts,
    who: Principal | None = None,
    patient: PatientKey = ANA,
    action: Action = Action.LIST,
    purpose: Purpose = Purpose.PATRQT,
    at: datetime = NOON - timedelta(hours=1),
) -> Decision:
    return decide(Question(who or principal(), patient, action, purpose, at, studies))


OWN = study("1.1", frozenset({ANA}))

RIGHT_TABLE = list(
    itertools.product(
        [*PrincipalKind, "app"],
        [*Purpose, "TREAT"],
        [*Action, "delete"],
        [ANA, BEN, ANA_ELSEWHERE],
        [-3600, -1, 0, 1],
    )
)
ALLOWED_PAIRS = {("patient", "PATRQT"), ("representative", "FAMRQT")}


@pytest.mark.promise("A6")
@pytest.mark.promise("E1")
def test_the_right_to_a_record_is_exactly_this_table() -> None:
    for kind, purpose, action, patient, offset in RIGHT_TABLE:
        decision = decide(
            Question(
                principal(kind),
                patient,
                action,
                purpose,
                NOON + timedelta(seconds=offset),
                (OWN,),
            )
        )
        expected = (
            (str(kind), str(purpose)) in ALLOWED_PAIRS and action in list(Action) and patient == ANA and offset < 0
        )
        assert decision.allowed is expected, (kind, purpose, action, patient, offset)
        assert decision.visible == (frozenset({"1.1"}) if expected else frozenset())
        assert decision.reasons


WITHOUT_STUDIES = {Action.LIST, Action.LIST_REPORTS, Action.READ_PERSON, Action.INDEX}

STUDY_TABLE = [
    (frozenset({ANA}), False, "owned"),
    (frozenset({ANA}), True, "contradicted"),
    (frozenset({BEN}), False, "foreign"),
    (frozenset({BEN}), True, "contradicted"),
    (frozenset({ANA, BEN}), False, "foreign"),
    (frozenset({ANA, BEN}), True, "contradicted"),
    (frozenset({ANA_ELSEWHERE}), False, "foreign"),
    (frozenset({ANA, ANA_ELSEWHERE}), False, "foreign"),
    (frozenset(), False, "unowned"),
    (frozenset(), True, "contradicted"),
]


@pytest.mark.promise("A2")
@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize(("owners", "contradicted", "code"), STUDY_TABLE)
def test_a_study_is_visible_only_when_it_is_the_patients_alone(
    action: Action, owners: frozenset[PatientKey], *, contradicted: bool, code: str
) -> None:
    decision = ask(study("1.9", owners, contradicted=contradicted), action=action)
    seen = code == "owned"
    assert decision.visible == (frozenset({"1.9"}) if seen else frozenset())
    assert decision.allowed is (seen or action in WITHOUT_STUDIES)
    assert code in {reason.code for reason in decision.reasons}


@pytest.mark.parametrize("action", [Action.READ_REPORT, Action.VIEW_IMAGES])
def test_a_question_about_nothing_is_refused(action: Action) -> None:
    decision = ask(action=action)
    assert not decision.allowed
    assert [reason.code for reason in decision.reasons] == ["nothing-asked"]


def test_an_empty_list_may_be_seen() -> None:
    assert ask() == Decision(allowed=True, visible=frozenset(), reasons=ask(OWN).reasons[:1])


def test_a_representative_and_a_patient_do_not_borrow_each_others_purpose() -> None:
    assert not ask(OWN, purpose=Purpose.FAMRQT).allowed
    assert not ask(OWN, who=principal(PrincipalKind.REPRESENTATIVE)).allowed


def test_a_study_that_two_sources_describe_differently_is_not_visible() -> None:
    other = study("1.1", frozenset({BEN}))
    assert ask(OWN, other).visible == frozenset()
    assert not ask(other, OWN, action=Action.VIEW_IMAGES).allowed


def test_every_rule_says_in_a_sentence_what_it_does() -> None:
    told = [(rule.name, rule.sentence, rule.effect) for rule in RIGHTS.rules]
    told += [(rule.name, rule.sentence, rule.effect) for rule in STUDIES.rules]
    for name, sentence, effect in told:
        assert sentence.endswith("."), name
        assert effect in Effect


keys = st.builds(PatientKey, st.sampled_from(["st-elsewhere", "county"]), st.sampled_from(["ana", "ben", "cho"]))
some_studies = st.lists(
    st.builds(
        study,
        st.sampled_from([f"1.{n}" for n in range(8)]),
        st.frozensets(keys, max_size=3),
        contradicted=st.booleans(),
    ),
    max_size=10,
)


def reference(question: Question) -> tuple[bool, frozenset[str]]:
    """The policy once more, said backwards: everything that forbids, spelled out, in no table."""
    who = question.principal
    right = (
        question.at < who.expires_at
        and question.patient == who.patient
        and {"patient": "PATRQT", "representative": "FAMRQT"}.get(who.kind.value) == question.purpose.value
    )
    visible = set()
    for uid in {one.uid for one in question.studies}:
        told = [one for one in question.studies if one.uid == uid]
        if all(one.owners and not one.owners - {question.patient} and not one.contradicted for one in told):
            visible.add(uid)
    if not right:
        return False, frozenset()
    return question.action in WITHOUT_STUDIES or bool(visible), frozenset(visible)


questions = st.builds(
    Question,
    principal=st.builds(principal, st.sampled_from(PrincipalKind), keys),
    patient=keys,
    action=st.sampled_from(Action),
    purpose=st.sampled_from(Purpose),
    at=st.sampled_from([NOON - timedelta(microseconds=1), NOON, NOON - timedelta(days=1)]),
    studies=some_studies.map(tuple),
)


@given(questions)
def test_every_decision_equals_the_reference(question: Question) -> None:
    decision = decide(question)
    assert (decision.allowed, decision.visible) == reference(question)


@given(some_studies, st.data())
def test_the_order_of_the_studies_does_not_matter(studies: list[StudyFacts], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(studies))
    assert ask(*studies) == ask(*shuffled)


@given(some_studies, st.sampled_from(["1.100", "1.1"]), st.frozensets(keys.filter(lambda key: key != ANA), min_size=1))
def test_a_foreign_study_is_never_made_visible_by_company(
    studies: list[StudyFacts], uid: str, owners: frozenset[PatientKey]
) -> None:
    alone = ask(*studies)
    together = ask(*studies, study(uid, owners))
    assert uid not in together.visible
    assert together.visible == alone.visible - {uid}
