"""The use-case behind our FHIR server: reads and searches for apps."""

from zoneinfo import ZoneInfo

from smartapp.audit.service import AuditTrail
from smartapp.consent.model import AppPrincipal, Permit
from smartapp.errors import AccessDenied
from smartapp.fhir.upstream.documents import Json
from smartapp.fhir.upstream.service import FhirReader
from smartapp.identity.model import Principal
from smartapp.records.addresses import Addresses
from smartapp.records.gate import Gate
from smartapp.records.resources import kinds
from smartapp.records.resources.builder import Sources
from smartapp.records.resources.model import File, Found
from smartapp.records.resources.parameters import updated
from smartapp.records.resources.query import Query
from smartapp.records.resources.since import Since
from smartapp.records.resources.view import Hospital, OfGrant, View
from smartapp.records.view import View as Seeing
from smartapp.settings import Settings


class Resources:
    """Answers apps, by the same gate and view as DICOMweb does. One per process; safe to share by threads.

    Every method raises ScopeMissing where the token lacks the kind of right, NotFound for what is absent or outside
    the grant (both alike, and nobody upstream is asked), and the `Upstream*` errors.
    """

    def __init__(
        self,
        settings: Settings,
        gate: Gate,
        seeing: Seeing,
        fhir: FhirReader,
        audit: AuditTrail,
        since: Since,
        of_grant: OfGrant,
    ) -> None:
        self._settings = settings
        self._fhir = fhir
        self._audit = audit
        self._since = since
        self._of_grant = of_grant
        self._gate = gate
        self._seeing = seeing

    def read(self, principal: AppPrincipal, type_: str, id_: str, request_id: str) -> Json:
        """One resource, by its id here."""
        kinds.served(type_)
        view = self._view(principal, "r", request_id)
        user = view.fhir_user
        if not (kinds.names_user(principal, user, type_, id_) or kinds.of_user_alone(principal, user, type_)):
            kinds.require(view.reach, type_, "r")
        item = view.items(type_).get(id_)
        if item is None:
            self._gate.refuse(principal, f"{type_} {id_}", request_id)
        permit = view.permit([item], one=True)
        resource = view.resource(item, permit)
        self._given(permit)
        return resource

    def file(self, principal: AppPrincipal, id_: str, request_id: str) -> File:
        """A file of a visible report, as Binary is read."""
        view = self._view(principal, "r", request_id)
        kinds.require(view.reach, "Binary", "r")
        item = view.sight.forms.get(id_)
        permit = view.permit([item]) if item is not None else None
        if item is None or permit is None or not view.within(item, permit):
            self._gate.refuse(principal, f"Binary {id_}", request_id)
        content_type, body = self._fhir.attachment(permit, item.report.id, item.form.index)
        self._given(permit, len(body))
        return File(id_, content_type, body, updated(item))

    def search(self, principal: AppPrincipal, query: Query, request_id: str) -> Found:
        """One page of what matches and is visible. AccessDenied where another patient is named."""
        kinds.served(query.type, search=True)
        view = self._view(principal, "s", request_id)
        kinds.require(view.reach, query.type, "s")
        self._require_own(principal, query, request_id)
        items = view.searchable(query.type, dated=query.dated)
        permit = view.permit(items)
        visible = [item for item in items if view.within(item, permit)]
        hidden = {query.type: view.hidden(query.type) + len(items) - len(visible)}
        self._gate.left_out(principal, permit, query.type, hidden, request_id)
        matching = query.apply(visible, self._zone(principal))
        page = matching[query.offset : query.offset + query.count]
        entries = view.entries(page, permit) + view.included(query.includes, page)
        self._given(permit)
        return Found(tuple(entries), len(matching), view.problems(query.type))

    def _view(self, principal: AppPrincipal, letter: str, request_id: str) -> View:
        provider = self._settings.provider(principal.patient.provider)
        base_url = self._settings.server.base_url
        return View(
            principal,
            letter,
            request_id,
            gate=self._gate,
            sources=Sources(self._seeing, self._fhir, provider.iss, Addresses(base_url, provider.id)),
            released=self._seeing.released,
            since=self._since,
            of_grant=self._of_grant,
            hospital=Hospital(provider.id, provider.name, base_url),
        )

    def _zone(self, principal: Principal) -> ZoneInfo:
        return ZoneInfo(self._settings.provider(principal.patient.provider).timezone)

    def _require_own(self, principal: AppPrincipal, query: Query, request_id: str) -> None:
        """Another patient is refused before anything is looked up, and written down."""
        try:
            query.require_own(principal.patient.patient_id)
        except AccessDenied as error:
            self._gate.note(principal, f"{query.type} of another patient", request_id)
            raise error from None

    def _given(self, permit: Permit | None, size: int = 0) -> None:
        """Before an answer leaves: the right is read once more, and what is given is counted."""
        if permit is not None:
            permit.check()
            self._audit.count(permit.disclosure_id, bytes=size)
