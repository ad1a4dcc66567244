"""A FHIR search, read from its parameters and not yet run (FHIR R4 §3.1.1)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

from smartapp.sandbox.ehr.fhir.errors import bad_query
from smartapp.sandbox.ehr.fhir.matching import check_value, matches
from smartapp.sandbox.ehr.fhir.parameters import PARAMETERS
from smartapp.sandbox.ehr.resources.common import Resource

PAGE_SIZE = 20
MOST = 100


@dataclass(frozen=True)
class Query:
    """One search: `criteria` all hold; `ignored` are parameters we do not know, absent from the self link."""

    type: str
    criteria: tuple[tuple[str, str], ...] = ()
    count: int = PAGE_SIZE
    sort: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    count_only: bool = False

    def fits(self, resource: Resource, zone: ZoneInfo) -> bool:
        """Whether a resource meets every criterion."""
        return all(matches(resource, name, value, zone) for name, value in self.criteria)

    def patients(self) -> set[str]:
        """The ids that the search names as its patients."""
        named = [value for name, value in self.criteria if name in {"patient", "subject"}]
        return {one.rpartition("/")[2] for value in named for one in value.split(",")}

    def parameters(self) -> list[tuple[str, str]]:
        """The search as parameters again, for links and for another server."""
        control = [("_include", include) for include in self.includes]
        control += [("_sort", ",".join(self.sort))] if self.sort else []
        control += [("_summary", "count")] if self.count_only else [("_count", str(self.count))]
        return [*self.criteria, *control]


@dataclass(frozen=True)
class View:
    """What one token may see of one type.

    `patients` None means everybody; `sees` judges each resource, `sees_included` those that come along; `filtered`
    says that not all of a patient's are in sight.
    """

    patients: frozenset[str] | None
    sees: Callable[[Resource], bool]
    sees_included: Callable[[Resource], bool]
    filtered: bool


@dataclass(frozen=True)
class Rest:
    """How a search goes on after its page: the ids still to come, or the address of the other server's next page."""

    query: Query
    total: int | None
    ids: tuple[str, ...] = ()
    url: str | None = None


@dataclass(frozen=True)
class Page:
    """One page of results. `total` is None where it cannot be known without telling what is hidden."""

    matches: tuple[Resource, ...]
    included: tuple[Resource, ...]
    total: int | None
    rest: Rest | None = None


class Backend(Protocol):
    """Where resources are: in this process, or in a plain FHIR server behind it."""

    def reference(self, known_as: str) -> str:
        """`Type/id` as the backend has it, for `Type/id` of the sample world."""
        ...

    def read(self, type_: str, id_: str) -> Resource | None: ...
    def search(self, query: Query, view: View) -> Page: ...
    def more(self, rest: Rest, view: View) -> Page: ...
    def create(self, resource: Resource) -> Resource: ...
    def update(self, resource: Resource, if_match: str | None) -> Resource: ...


def parse_query(type_: str, arguments: Iterable[tuple[str, str]], zone: ZoneInfo) -> Query:
    """The search in the parameters of a request; unknown names are ignored, chains and modifiers are FhirError 400."""
    criteria: list[tuple[str, str]] = []
    control: dict[str, list[str]] = {"_include": [], "_sort": [], "_count": [], "_summary": []}
    for name, value in arguments:
        if name in control:
            control[name].append(value)
        elif value:
            criteria.extend(_criterion(type_, name, value, zone))
    count = _count(control["_count"])
    return Query(
        type_,
        tuple(criteria),
        count or PAGE_SIZE,
        _sort(type_, control["_sort"]),
        tuple(control["_include"]),
        count_only=control["_summary"] == ["count"] or count == 0,
    )


def _criterion(type_: str, name: str, value: str, zone: ZoneInfo) -> list[tuple[str, str]]:
    known = PARAMETERS[type_]
    plain, colon, modifier = name.partition(":")
    if "." in name or name.startswith(("_has", "_filter")):
        raise bad_query("Chained and reverse searches are not supported.")
    if plain not in known:
        return []
    if known[plain][0] == "reference" and modifier in PARAMETERS:
        value = f"{modifier}/{value}"
    elif colon:
        raise bad_query("This modifier is not supported.")
    check_value(type_, plain, value, zone)
    return [(plain, value)]


def _count(given: list[str]) -> int:
    if not given:
        return PAGE_SIZE
    if not given[-1].isascii() or not given[-1].isdigit() or len(given[-1]) > 9:
        raise bad_query("_count must be a whole number.")
    return min(int(given[-1]), MOST)


def _sort(type_: str, given: list[str]) -> tuple[str, ...]:
    keys = tuple(key for value in given for key in value.split(",") if key)
    if any(key.removeprefix("-") not in PARAMETERS[type_] for key in keys):
        raise bad_query("There is nothing to sort by under that name.")
    return keys
