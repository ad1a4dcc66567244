"""One request's view of a record: what is visible of each type, under which permit it is given, what goes with it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Final, Protocol

from smartapp.consent.model import Action, AppPrincipal, Permit
from smartapp.consent.reach import Reach
from smartapp.errors import NotFound, UpstreamDown
from smartapp.fhir.upstream.documents import Json
from smartapp.records.gate import Gate
from smartapp.records.index import PACS_MISSING
from smartapp.records.model import StudyIndex
from smartapp.records.release import Judge
from smartapp.records.resources import kinds, places
from smartapp.records.resources.builder import Builder, Sources
from smartapp.records.resources.ids import ENDPOINT
from smartapp.records.resources.model import Entry, Item, Mode, PlainItem, ReportItem, StudyItem
from smartapp.records.resources.parameters import consent_told
from smartapp.records.resources.sight import Sight
from smartapp.records.resources.since import Since

_AGAIN: Final = 15
"""In seconds: when to ask again for a list that the archive did not help to make."""
_FROM_INDEX: Final = frozenset(
    {"ImagingStudy", "DiagnosticReport", "DocumentReference", "Organization", "Practitioner"}
)
_UNDATED: Final = frozenset({"Organization", "Practitioner", "Endpoint"})
"""Of these nobody says when they changed: it is since when the app is shown them as they are."""


class OfGrant(Protocol):
    """What is known of a grant itself, and not of the record."""

    def fhir_user(self, principal: AppPrincipal) -> str:
        """Who granted, as the FHIR reference at the hospital; empty when there is no such grant."""
        ...

    def consents(self, principal: AppPrincipal) -> tuple[PlainItem, ...]:
        """The grant as FHIR Consent."""
        ...

    def events(self, principal: AppPrincipal, studies: Mapping[str, str]) -> tuple[PlainItem, ...]:
        """What was disclosed under the grant as AuditEvents; `studies` by their UIDs, with our ids of them."""
        ...


@dataclass(frozen=True)
class Hospital:
    """Where a record is: the provider's id and name, and our own address."""

    id: str
    name: str
    base_url: str


class View:
    """`letter` is the interaction: r for reading, s for searching. The index is read when it is first needed."""

    def __init__(
        self,
        principal: AppPrincipal,
        letter: str,
        request_id: str,
        *,
        gate: Gate,
        sources: Sources,
        released: Judge,
        since: Since,
        of_grant: OfGrant,
        hospital: Hospital,
    ) -> None:
        self.principal = principal
        self.reach = Reach.of(principal)
        self._letter = letter
        self._request_id = request_id
        self._gate = gate
        self._sources = sources
        self._released = released
        self._since = since
        self._of_grant = of_grant
        self._hospital = hospital

    @cached_property
    def index(self) -> StudyIndex:
        """The patient's index."""
        return self._gate.index(self.principal, self._request_id)

    @cached_property
    def sight(self) -> Sight:
        """What of the index is visible."""
        return Sight(self.principal, self.index, self.reach, self._released, self._since, self._letter)

    @cached_property
    def fhir_user(self) -> str:
        """Who granted."""
        return self._of_grant.fhir_user(self.principal)

    def items(self, type_: str) -> Mapping[str, Item]:
        """Everything visible of a type, by id. UpstreamDown where the archive's silence would make studies vanish."""
        if type_ == "ImagingStudy" and PACS_MISSING in self.index.problems:
            raise UpstreamDown(PACS_MISSING, retry_after=_AGAIN)
        makers: dict[str, Callable[[], Mapping[str, Item]]] = {
            "Patient": self._patient,
            "ImagingStudy": lambda: self.sight.studies,
            "DiagnosticReport": lambda: self.sight.reports,
            "DocumentReference": lambda: self.sight.forms,
            "Endpoint": self._endpoint,
            "Organization": self._organizations,
            "Practitioner": lambda: self.sight.people("Practitioner"),
            "RelatedPerson": self._representative,
            "Consent": self._consents,
            "AuditEvent": self._events,
        }
        return makers[type_]()

    def searchable(self, type_: str, *, dated: bool = False) -> list[Item]:
        """As `items`, ready to be matched, by their date as well where that is asked (`dated`).

        For that the patient is looked at, who is the only one there can be, and people and places, when asked by date.
        """
        found = list(self.items(type_).values())
        if type_ == "Patient" or (dated and type_ in _UNDATED):
            return [told for item in found if isinstance(item, PlainItem) for told in self._told(item)]
        return found

    def _told(self, item: PlainItem) -> Iterator[Item]:
        """The item with its resource and the date in it; nothing where the EHR has it no longer."""
        with suppress(NotFound):
            resource = self.resource(item, self.permit([item]))
            yield replace(item, resource=resource, updated=datetime.fromisoformat(resource["meta"]["lastUpdated"]))

    def _unchanged_since(self, resource: Json) -> datetime:
        name = f"{resource['resourceType']}/{resource['id']}"
        shown = {key: value for key, value in resource.items() if key != "meta"}
        return self._since(self.principal, name, [shown])

    def hidden(self, type_: str) -> int:
        """How many of the type were left out because of the grant. Where some studies are visible, the gate tells."""
        if type_ in {"DiagnosticReport", "DocumentReference"}:
            return self.sight.hidden_reports
        return self.sight.hidden_studies if type_ == "ImagingStudy" and not self.sight.studies else 0

    def problems(self, type_: str) -> tuple[str, ...]:
        """Why a list of this type may lack something."""
        return self.index.problems if type_ in _FROM_INDEX else ()

    def permit(self, items: Sequence[Item], *, one: bool = False) -> Permit | None:
        """What these, all of one type, are given under: `one` that was named, or a list.

        None where there is nothing to give, or nothing of anybody's.
        """
        studies = list({study.uid: study for item in items for study in item.behind}.values())
        first = items[0] if items else None
        if isinstance(first, StudyItem):
            if one:
                return self._gate.study(self.principal, first.uid, Action.READ, self._request_id)[0]
            return self._gate.listing(self.principal, self.index, self._request_id)
        if studies:
            named = isinstance(first, PlainItem)  # people: shown with a report, in whichever way that may be had
            reads = self.reach.may("DiagnosticReport", "r") if named else self._letter == "r"
            action = Action.READ_REPORT if reads else Action.LIST_REPORTS
            return self._gate.several(self.principal, studies, action, self._request_id)
        if any(isinstance(item, PlainItem) and item.personal for item in items):
            return self._gate.own(self.principal, self._request_id)
        return None

    @staticmethod
    def within(item: Item, permit: Permit | None) -> bool:
        """Whether the permit reaches every study that the item tells of."""
        return all(permit is not None and study.uid in permit.studies for study in item.behind)

    def resource(self, item: Item, permit: Permit | None) -> Json:
        """One resource. NotFound where the EHR has it no longer, or the permit does not reach all that it tells of."""
        if not self.within(item, permit):
            raise NotFound
        return self._builder.resource(item, permit)

    def entries(self, page: Iterable[Item], permit: Permit | None, mode: Mode = "match") -> list[Entry]:
        """The page's resources. One that the EHR has no longer is left out."""
        found = []
        for item in page:
            with suppress(NotFound):
                found.append(Entry(self.resource(item, permit), mode))
        return found

    def included(self, names: Iterable[str], page: Sequence[Item]) -> list[Entry]:
        """What goes with the page by `_include`, as far as the token may search it, each once."""
        found: list[Entry] = []
        for type_, items in self._followed(names, page).items():
            if items and kinds.may(self.reach, type_, self._letter):
                found += self.entries(items, self.permit(items), "include")
        return found

    def _followed(self, names: Iterable[str], page: Sequence[Item]) -> dict[str, list[Item]]:
        """What the page refers to by these parameters, by type."""
        found: dict[str, list[Item]] = {}
        for name in names if page else ():
            if name == "endpoint":
                found["Endpoint"] = list(self._endpoint().values())
            elif name in {"patient", "subject"}:
                found["Patient"] = list(self._patient().values())
            elif name == "organization":
                found["Organization"] = [self._hospital_item]
            else:
                named = {each for item in page if isinstance(item, ReportItem) for each in item.link.performers}
                for type_ in ("Practitioner", "Organization"):
                    people_ = self.sight.people(type_).values()
                    found[type_] = [person for person in people_ if person.reference in named]
        return found

    @cached_property
    def _builder(self) -> Builder:
        index, sight = (lambda: self.index), (lambda: self.sight)
        return Builder(self.principal, self._sources, self._request_id, index, sight, self._unchanged_since)

    @cached_property
    def _kept(self) -> bool:
        return self._gate.keeps_person(self.principal, self._request_id)

    def _patient(self) -> dict[str, Item]:
        if self._kept:
            return {}
        id_ = self.principal.patient.patient_id
        return {id_: PlainItem(id_, reference=f"Patient/{id_}")}

    def _representative(self) -> dict[str, Item]:
        type_, id_ = self.fhir_user.split("/")[-2:] if "/" in self.fhir_user else ("", "")
        named = type_ == "RelatedPerson" and not self._kept
        return {id_: PlainItem(id_, reference=f"RelatedPerson/{id_}")} if named else {}

    def _consents(self) -> dict[str, Item]:
        """The app's own grant, where the filters of its scopes let it be."""
        return {
            item.id: item
            for item in self._of_grant.consents(self.principal)
            if self.reach.resource("Consent", self._letter, consent_told(item))
        }

    def _events(self) -> dict[str, Item]:
        """What the app was given under its own grant; studies are named that it may still know of."""
        named = {item.study.uid: item.id for item in self.sight.studies.values()}
        return {item.id: item for item in self._of_grant.events(self.principal, named)}

    def _endpoint(self) -> dict[str, Item]:
        at = self._hospital
        return {ENDPOINT: PlainItem(ENDPOINT, places.endpoint(at.id, at.name, at.base_url), personal=False)}

    @property
    def _hospital_item(self) -> Item:
        resource = places.hospital(self._hospital.id, self._hospital.name)
        return PlainItem(str(resource["id"]), resource, personal=False)

    def _organizations(self) -> dict[str, Item]:
        own = self._hospital_item
        return {**self.sight.people("Organization"), own.id: own}
