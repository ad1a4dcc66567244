"""May this principal do this to these studies, for this purpose? A table that a privacy officer can read. Pure.

Two tables are asked: `RIGHTS`, whether the principal may act on the record at all, and `STUDIES`, which of the studies
asked about belong to that record beyond doubt. In both, a denial outweighs everything, and what no rule allows is
denied: so an action, kind or purpose without a rule (a clinician's, today) reaches nothing.
"""

from dataclasses import dataclass

from smartapp.consent.model import Action, Decision, Purpose, Question, StudyFacts
from smartapp.consent.rules import Effect, Rule, Table
from smartapp.errors import Reason
from smartapp.identity.model import PatientKey, PrincipalKind


@dataclass(frozen=True, slots=True)
class StudyCase:
    """One study, seen from the record that is asked about: `owner` is that patient, alone."""

    owner: frozenset[PatientKey]
    study: StudyFacts


def _ended(question: Question) -> bool:
    return question.at >= question.principal.expires_at


def _other_record(question: Question) -> bool:
    return question.patient != question.principal.patient


def _own_record(question: Question) -> bool:
    return question.patient == question.principal.patient


def _is_patient(question: Question) -> bool:
    return question.principal.kind is PrincipalKind.PATIENT


def _is_representative(question: Question) -> bool:
    return question.principal.kind is PrincipalKind.REPRESENTATIVE


def _at_own_request(question: Question) -> bool:
    return question.purpose is Purpose.PATRQT


def _at_family_request(question: Question) -> bool:
    return question.purpose is Purpose.FAMRQT


_ACTIONS = frozenset({Action.LIST, Action.READ_REPORT, Action.VIEW_IMAGES})


def _known_action(question: Question) -> bool:
    return question.action in _ACTIONS


RIGHTS: Table[Question] = Table(
    Rule("right-ended", "The right to act has ended.", Effect.DENY, (_ended,)),
    Rule("other-record", "It is another record than the one that is open.", Effect.DENY, (_other_record,)),
    Rule(
        "own-record",
        "Patients reach their own record.",
        Effect.ALLOW,
        (_is_patient, _own_record, _at_own_request, _known_action),
    ),
    Rule(
        "represented-record",
        "Personal representatives reach the record of the person they act for.",
        Effect.ALLOW,
        (_is_representative, _own_record, _at_family_request, _known_action),
    ),
    otherwise=Reason("no-rule", "Nothing allows it."),
)


def _contradicted(case: StudyCase) -> bool:
    return case.study.contradicted


def _foreign(case: StudyCase) -> bool:
    return bool(case.study.owners) and case.study.owners != case.owner


def _owned(case: StudyCase) -> bool:
    return case.study.owners == case.owner


STUDIES: Table[StudyCase] = Table(
    Rule("contradicted", "A source says that the study is somebody else's.", Effect.DENY, (_contradicted,)),
    Rule("foreign", "The study belongs to another patient, or to more than one.", Effect.DENY, (_foreign,)),
    Rule("owned", "The study is the patient's, and no source says otherwise.", Effect.ALLOW, (_owned,)),
    otherwise=Reason("unowned", "No source says whose study it is."),
)

_NOTHING_ASKED = Reason("nothing-asked", "No study was named.")


def decide(question: Question) -> Decision:
    """The answer to `question`, with the rules it rests on (the right first, then each rule that judged a study).

    A list is allowed by the right alone, and narrowed to what is visible. Any other action is allowed when at least one
    of its studies is visible; the others are not in `visible`.
    """
    right = RIGHTS.ruling(question)
    if not right.allowed:
        return Decision(allowed=False, visible=frozenset(), reasons=(right.reason,))
    visible, reasons = _judge(question)
    if question.action is Action.LIST or visible:
        return Decision(allowed=True, visible=visible, reasons=(right.reason, *reasons))
    return Decision(allowed=False, visible=visible, reasons=reasons or (_NOTHING_ASKED,))


def _judge(question: Question) -> tuple[frozenset[str], tuple[Reason, ...]]:
    """A study described twice is visible only if both descriptions are."""
    owner = frozenset({question.patient})
    visible: set[str] = set()
    withheld: set[str] = set()
    reasons: dict[Reason, None] = {}
    for study in question.studies:
        ruling = STUDIES.ruling(StudyCase(owner, study))
        (visible if ruling.allowed else withheld).add(study.uid)
        reasons[ruling.reason] = None
    return frozenset(visible - withheld), tuple(sorted(reasons, key=lambda reason: reason.code))
