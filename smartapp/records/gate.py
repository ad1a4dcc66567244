"""From a request to a permit: the study is looked up in the patient's own index, and the question is asked."""

from collections.abc import Mapping, Sequence
from typing import Final, NoReturn

from smartapp.access.service import Access
from smartapp.audit.model import Event, Severity
from smartapp.audit.service import AuditTrail
from smartapp.consent.aliases import shown_uid
from smartapp.consent.directives.onfile import keeping_person, keeping_study
from smartapp.consent.model import Action, AppPrincipal, Extent, Permit, StudyFacts
from smartapp.consent.reach import Reach
from smartapp.dicomweb.core.uids import parse_uid
from smartapp.errors import AccessDenied, NotFound, UpstreamDown
from smartapp.identity.model import Principal
from smartapp.records.holdings import Holdings
from smartapp.records.index import CONSENTS_UNREAD, IndexKeeper
from smartapp.records.model import IndexedStudy, StudyIndex
from smartapp.records.pictures import shown_to

_AGAIN: Final = 15
"""In seconds: when to ask again while Consents cannot be read."""
_OF_REPORTS: Final = frozenset({Action.LIST_REPORTS, Action.READ_REPORT})
"""What is asked of a study for its reports: whether its pictures may be shown says nothing of them."""
_EXTENTS = {
    Action.READ: Extent.SUMMARY,
    Action.LIST: Extent.SUMMARY,
    Action.LIST_REPORTS: Extent.REPORT,
    Action.READ_PERSON: Extent.SUMMARY,
    Action.READ_REPORT: Extent.REPORT,
    Action.VIEW_IMAGES: Extent.IMAGES,
}


class Gate:
    """Gives permits for studies of the principal's patient. One per process; safe to share by threads."""

    def __init__(self, access: Access, keeper: IndexKeeper, holdings: Holdings, audit: AuditTrail) -> None:
        self._access = access
        self._audit = audit
        self._keeper = keeper
        self._holdings = holdings

    def index(self, principal: Principal, request_id: str) -> StudyIndex:
        """The patient's index, with all that the principal is judged by. It shows nothing by itself.

        UpstreamDown for an app while the hospital's Consents cannot be read: nobody knows what they forbid.
        """
        return self._holdings.filled(principal, self._current(principal, request_id), request_id)

    def _current(self, principal: Principal, request_id: str) -> StudyIndex:
        index = self._keeper.current(principal, request_id)
        if index.consents_unread and isinstance(principal, AppPrincipal):
            raise UpstreamDown(CONSENTS_UNREAD, retry_after=_AGAIN)
        return index

    def listing(self, principal: Principal, index: StudyIndex, request_id: str) -> Permit:
        """The permit to list; its `studies` are the visible ones."""
        shown = [found for study in index.studies if (found := shown_to(principal, study)) is not None]
        facts = [study.facts(principal.patient) for study in shown]
        permit = self._ask(principal, Action.LIST, facts, request_id)
        hidden = {study.uid: 1 for study in index.studies if study.owned and study.uid not in permit.studies}
        self.left_out(principal, permit, "studies", hidden, request_id)
        return permit

    def study(
        self, principal: Principal, uid: str, action: Action, request_id: str
    ) -> tuple[Permit, StudyIndex, IndexedStudy]:
        """The permit to do `action` to one study, with the index and the study.

        `uid` is the study's as the principal is shown it. NotFound for one outside the index, or withheld from it: the
        question is asked all the same, so that the no is written down, and neither EHR nor PACS is asked about it.
        AccessDenied where the study may be known of.
        """
        index = self._current(principal, request_id)
        named = _find(principal, index, parse_uid(uid))
        index = self._holdings.filled(principal, index, request_id, only=named.uid if named is not None else "")
        study = index.find(named.uid) if named is not None else None
        shown = study if action in _OF_REPORTS else shown_to(principal, study)
        if action is Action.LIST and _unlisted(principal, shown):
            self.refuse(principal, f"study {uid}", request_id)  # a list would be allowed, and be empty
        facts = shown.facts(principal.patient) if shown is not None else _of_nobody(uid)
        try:
            permit = self._ask(principal, action, [facts], request_id)
        except AccessDenied:
            # To an app each no but one about its token is NotFound already, whichever study it names.
            if not isinstance(principal, AppPrincipal) and (shown is None or not shown.owned):
                raise NotFound from None
            raise
        if study is None or shown is None or study.uid not in permit.studies:
            raise NotFound
        return permit, index, study

    def several(self, principal: Principal, studies: Sequence[IndexedStudy], action: Action, request_id: str) -> Permit:
        """The permit to do `action` to these studies of the index; its `studies` are those that may be."""
        return self._ask(principal, action, [study.facts(principal.patient) for study in studies], request_id)

    def own(self, principal: Principal, request_id: str) -> Permit:
        """The permit to be told of the patient and of what is on record of the grant itself: no study is behind it."""
        return self._ask(principal, Action.READ_PERSON, (), request_id)

    def keeps_person(self, principal: AppPrincipal, request_id: str) -> bool:
        """Whether a Consent on file keeps everything from the app, and so who the patient is, too. The index is read
        for it where the hospital is asked for Consents, and not elsewhere.
        """
        if not self._keeper.consents.asked(principal.patient):
            return False
        on_file = self._current(principal, request_id).on_file
        return bool(keeping_person(principal.client_id, principal.terms.purpose, on_file))

    def left_out(
        self, principal: Principal, permit: Permit | None, what: str, left_out: Mapping[str, int], request_id: str
    ) -> None:
        """Has the trail say how many of `what` are not in the answer, by what they are of (`authz.filtered`)."""
        under = permit.disclosure_id if permit is not None else ""
        self._audit.filtered(principal, principal.patient, what, left_out, under=under, request_id=request_id)

    def odd_query(self, principal: Principal, keys: Sequence[str], level: str, request_id: str) -> None:
        """Has the trail say that a search tried to reach further than the patient: by which keys, and never their
        values, which may name somebody else.
        """
        if keys:
            event = Event(
                "qido.query",
                patient=principal.patient,
                principal_ref=principal.person_id,
                session_ref=principal.session_id,
                detail={"keys": " ".join(keys), "level": level},
                request_id=request_id,
            )
            self._audit.note(event, later=True)

    def refuse(self, principal: Principal, what: str, request_id: str, severity: Severity = "info") -> NoReturn:
        """Writes down that something was asked for which is not there for the principal, and raises NotFound.

        For what needs no question: ids outside the study's own listing, or outside what a token reaches.
        """
        self.note(principal, what, request_id, severity)
        raise NotFound

    def note(self, principal: Principal, what: str, request_id: str, severity: Severity = "info") -> None:
        """Writes down that something was refused."""
        self._audit.record(
            Event(
                "authz.denied",
                severity,
                patient=principal.patient,
                principal_ref=principal.person_id,
                session_ref=principal.session_id,
                detail={"what": what},
                request_id=request_id,
            )
        )

    def _ask(self, principal: Principal, action: Action, facts: Sequence[StudyFacts], request_id: str) -> Permit:
        return self._access.permit(principal, action, facts, extent=_EXTENTS[action], request_id=request_id)


def _find(principal: Principal, index: StudyIndex, uid: str) -> IndexedStudy | None:
    """The study shown under this UID. Under a de-identified grant none is shown under its own."""
    if isinstance(principal, AppPrincipal) and principal.alias_key is not None:
        return next((study for study in index.studies if shown_uid(principal, study.uid) == uid), None)
    return index.find(uid)


def _unlisted(principal: Principal, study: IndexedStudy | None) -> bool:
    """Whether a list of this principal's would not hold the study. What an app's token lacks, the question says."""
    if not isinstance(principal, AppPrincipal):
        return study is None or not study.owned
    reach = Reach.of(principal)
    if not reach.may("ImagingStudy", "s"):
        return False
    if study is None or not study.owned:
        return True
    facts = study.facts(principal.patient)
    return not reach.study(facts, "s") or bool(keeping_study(principal.client_id, principal.terms.purpose, facts))


def _of_nobody(uid: str) -> StudyFacts:
    """A study that is not in the index. It may exist, and be somebody's: we do not look."""
    return StudyFacts(uid, frozenset(), None, frozenset(), frozenset())
