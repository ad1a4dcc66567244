"""May this principal do this to these studies, for this purpose? A table that a privacy officer can read. Pure.

Two tables are asked: `RIGHTS`, whether the principal may act on the record at all, and `STUDIES`, which of the studies
asked about belong to that record beyond doubt, and to what the patient allowed an app, and no Consent on file at the
hospital keeps from it. In both, a denial outweighs
everything, and what no rule allows is denied: so an action, kind or purpose without a rule (a clinician's, today)
reaches nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from smartapp.consent.directives.onfile import UNREAD, keeping_reports, keeping_study
from smartapp.consent.facts import StudyFacts
from smartapp.consent.model import LETTER, Action, Decision, Purpose, Question
from smartapp.consent.principal import AppPrincipal
from smartapp.consent.reach import Reach
from smartapp.consent.rules import Effect, Rule, Table
from smartapp.errors import Reason
from smartapp.identity.model import PatientKey, PrincipalKind


@dataclass(frozen=True, slots=True)
class StudyCase:
    """One study, seen from the record that is asked about: `owner` is that patient, alone.

    `granted` says whether a grant allows a study; None for people, who need none. `keeping` names the Consents on file
    at the hospital that keep a study from an app; None for people, from whom none does (45 CFR 164.524).
    """

    owner: frozenset[PatientKey]
    study: StudyFacts
    granted: Callable[[StudyFacts], bool] | None = None
    keeping: Callable[[StudyFacts], tuple[str, ...]] | None = None


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


_ACTIONS: Final = frozenset(LETTER)


def _known_action(question: Question) -> bool:
    return question.action in _ACTIONS


_TYPES: Final = {
    Action.READ: "ImagingStudy",
    Action.LIST: "ImagingStudy",
    Action.VIEW_IMAGES: "ImagingStudy",
    Action.LIST_REPORTS: "DiagnosticReport",
    Action.READ_REPORT: "DiagnosticReport",
}
"""Of which resource type an app's scope must speak. The other actions need any scope: who asks says which, besides."""


def _is_app(question: Question) -> bool:
    return isinstance(question.principal, AppPrincipal)


def _without_patient(question: Question) -> bool:
    return not (question.patient.provider and question.patient.patient_id)


def _grant_over(question: Question) -> bool:
    who = question.principal
    return isinstance(who, AppPrincipal) and who.terms.expires_at is not None and question.at >= who.terms.expires_at


def _scope_lacks_it(question: Question) -> bool:
    who, type_ = question.principal, _TYPES.get(question.action)
    if not isinstance(who, AppPrincipal):
        return False
    reach = Reach.of(who)
    if type_:
        return not reach.may(type_, LETTER[question.action])
    return not (reach.may_anything() or (question.action is Action.READ_PERSON and reach.may_name_user()))


def _of_images(question: Question) -> bool:
    return question.action is Action.VIEW_IMAGES


def _no_images(question: Question) -> bool:
    return isinstance(question.principal, AppPrincipal) and question.principal.terms.images == "none"


def _for_granted_purpose(question: Question) -> bool:
    return isinstance(question.principal, AppPrincipal) and question.purpose == question.principal.terms.purpose


INSUFFICIENT_SCOPE: Final = "insufficient-scope"

RIGHTS: Table[Question] = Table(
    Rule("right-ended", "The right to act has ended.", Effect.DENY, (_ended,)),
    Rule("other-record", "It is another record than the one that is open.", Effect.DENY, (_other_record,)),
    Rule("no-patient", "No patient is named.", Effect.DENY, (_is_app, _without_patient)),
    Rule("grant-ended", "The time that the patient gave the app is over.", Effect.DENY, (_grant_over,)),
    Rule(INSUFFICIENT_SCOPE, "The token has no scope for this.", Effect.DENY, (_is_app, _scope_lacks_it)),
    Rule("images-not-granted", "The patient allowed the app no images.", Effect.DENY, (_of_images, _no_images)),
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
    Rule(
        "granted-record",
        "Apps reach the record that its patient opened to them, for the purpose that was allowed.",
        Effect.ALLOW,
        (_is_app, _own_record, _for_granted_purpose, _known_action),
    ),
    otherwise=Reason("no-rule", "Nothing allows it."),
)


def _contradicted(case: StudyCase) -> bool:
    return case.study.contradicted


def _foreign(case: StudyCase) -> bool:
    return bool(case.study.owners) and case.study.owners != case.owner


def _owned(case: StudyCase) -> bool:
    return case.study.owners == case.owner


def _outside_grant(case: StudyCase) -> bool:
    return case.granted is not None and not case.granted(case.study)


def _kept_by_consent(case: StudyCase) -> bool:
    return case.keeping is not None and bool(case.keeping(case.study))


KEPT_BY_CONSENT: Final = "kept-by-consent"

STUDIES: Table[StudyCase] = Table(
    Rule("contradicted", "A source says that the study is somebody else's.", Effect.DENY, (_contradicted,)),
    Rule("foreign", "The study belongs to another patient, or to more than one.", Effect.DENY, (_foreign,)),
    Rule("outside-grant", "The patient did not allow the app this study.", Effect.DENY, (_outside_grant,)),
    Rule(KEPT_BY_CONSENT, "A Consent on file at the hospital keeps it.", Effect.DENY, (_kept_by_consent,)),
    Rule("owned", "The study is the patient's, and no source says otherwise.", Effect.ALLOW, (_owned,)),
    otherwise=Reason("unowned", "No source says whose study it is."),
)

_WITHOUT_STUDIES: Final = frozenset({Action.LIST, Action.LIST_REPORTS, Action.READ_PERSON, Action.INDEX})
"""What the right alone allows."""
_NOTHING_ASKED = Reason("nothing-asked", "No study was named.")


def decide(question: Question) -> Decision:
    """The answer to `question`, with the rules it rests on (the right first, then each rule that judged a study).

    What needs no study (a list, the index, who the patient is) is allowed by the right alone, and a list is narrowed to
    what is visible. Any other action is allowed when at least one of its studies is visible; the others are not in
    `visible`.
    """
    right = RIGHTS.ruling(question)
    if not right.allowed:
        return Decision(allowed=False, visible=frozenset(), reasons=(right.reason,))
    visible, reasons = _judge(question)
    if question.action in _WITHOUT_STUDIES or visible:
        return Decision(allowed=True, visible=visible, reasons=(right.reason, *reasons))
    return Decision(allowed=False, visible=visible, reasons=reasons or (_NOTHING_ASKED,))


def no_such_study(decision: Decision) -> bool:
    """Whether the right was there, and none of the studies asked about was: for an app, as if there were none."""
    return not decision.allowed and all(reason.code in _STUDY_RULES for reason in decision.reasons)


_STUDY_RULES: Final = frozenset({"unowned", *(rule.name for rule in STUDIES.rules)})


def _judge(question: Question) -> tuple[frozenset[str], tuple[Reason, ...]]:
    """A study described twice is visible only if both descriptions are."""
    owner = frozenset({question.patient})
    granted, keeping = _granted(question), _keeping(question)
    visible: set[str] = set()
    withheld: set[str] = set()
    reasons: dict[Reason, None] = {}
    for study in question.studies:
        ruling = STUDIES.ruling(StudyCase(owner, study, granted, keeping))
        (visible if ruling.allowed else withheld).add(study.uid)
        if keeping is not None and ruling.reason.code == KEPT_BY_CONSENT:
            reasons.update((_by_consent(id_), None) for id_ in keeping(study))
        else:
            reasons[ruling.reason] = None
    return frozenset(visible - withheld), tuple(sorted(reasons, key=lambda reason: (reason.code, reason.rule)))


def _granted(question: Question) -> Callable[[StudyFacts], bool] | None:
    """How the grant behind an app's question judges a study; None for people."""
    who = question.principal
    if not isinstance(who, AppPrincipal):
        return None
    reach = Reach.of(who)
    if _TYPES.get(question.action) == "DiagnosticReport":
        return reach.reports_of
    return partial(reach.study, letter=LETTER[question.action])


def _keeping(question: Question) -> Callable[[StudyFacts], tuple[str, ...]] | None:
    """Which Consents on file keep a study, or all of its reports, from the app that asks; None for people."""
    who = question.principal
    if not isinstance(who, AppPrincipal):
        return None
    reports = _TYPES.get(question.action) == "DiagnosticReport"
    return partial(keeping_reports if reports else keeping_study, who.client_id, question.purpose.value)


def _by_consent(id_: str) -> Reason:
    """The rule with the Consent that it rests on."""
    return Reason(KEPT_BY_CONSENT, "Consents could not be read" if id_ == UNREAD else f"Consent/{id_}")
