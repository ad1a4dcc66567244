"""From a request to a permit: the study is looked up in the patient's own index, and the question is asked."""

from collections.abc import Sequence
from typing import NoReturn

from smartapp.access.service import Access
from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.consent.model import Action, Extent, Permit, StudyFacts
from smartapp.dicomweb.core.uids import parse_uid
from smartapp.errors import AccessDenied, NotFound
from smartapp.identity.model import Principal
from smartapp.records.index import IndexKeeper
from smartapp.records.model import IndexedStudy, StudyIndex

_EXTENTS = {Action.LIST: Extent.SUMMARY, Action.READ_REPORT: Extent.REPORT, Action.VIEW_IMAGES: Extent.IMAGES}


class Gate:
    """Gives permits for studies of the principal's patient. One per process; safe to share by threads."""

    def __init__(self, access: Access, keeper: IndexKeeper, audit: AuditTrail) -> None:
        self._access = access
        self._audit = audit
        self._keeper = keeper

    def index(self, principal: Principal, request_id: str) -> StudyIndex:
        """The patient's index, which shows nothing by itself."""
        return self._keeper.current(principal, request_id)

    def listing(self, principal: Principal, index: StudyIndex, request_id: str) -> Permit:
        """The permit to list; its `studies` are the visible ones."""
        facts = [study.facts(principal.patient) for study in index.studies]
        return self._ask(principal, Action.LIST, facts, request_id)

    def study(
        self, principal: Principal, uid: str, action: Action, request_id: str
    ) -> tuple[Permit, StudyIndex, IndexedStudy]:
        """The permit to do `action` to one study, with the index and the study.

        NotFound for one outside the index, or withheld from it: the question is asked all the same, so that the no is
        written down, and neither EHR nor PACS is asked about it. AccessDenied where the study may be known of.
        """
        index = self.index(principal, request_id)
        study = index.find(parse_uid(uid))
        if action is Action.LIST and (study is None or not study.owned):
            self.refuse(principal, f"study {uid}", request_id)  # a list would be allowed, and be empty
        facts = study.facts(principal.patient) if study is not None else _of_nobody(uid)
        try:
            permit = self._ask(principal, action, [facts], request_id)
        except AccessDenied:
            if study is None or not study.owned:
                raise NotFound from None
            raise
        if study is None or uid not in permit.studies:
            raise NotFound
        return permit, index, study

    def refuse(self, principal: Principal, what: str, request_id: str) -> NoReturn:
        """Writes down that something was asked for which is not there for the principal, and raises NotFound.

        For what needs no question: ids outside the study's own listing, or outside what a token reaches.
        """
        self._audit.record(
            Event(
                "authz.denied",
                patient=principal.patient,
                principal_ref=principal.person_id,
                session_ref=principal.session_id,
                detail={"what": what},
                request_id=request_id,
            )
        )
        raise NotFound

    def _ask(self, principal: Principal, action: Action, facts: Sequence[StudyFacts], request_id: str) -> Permit:
        return self._access.permit(principal, action, facts, extent=_EXTENTS[action], request_id=request_id)


def _of_nobody(uid: str) -> StudyFacts:
    """A study that is not in the index. It may exist, and be somebody's: we do not look."""
    return StudyFacts(uid, frozenset(), None, frozenset(), frozenset())
