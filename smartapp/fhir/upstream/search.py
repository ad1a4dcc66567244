"""Searches, page by page, within bounds (FHIR R4 http.html#paging)."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urljoin, urlsplit

from smartapp.clock import Clock
from smartapp.consent.model import AnyPermit
from smartapp.errors import UpstreamMalformed
from smartapp.fhir.upstream.documents import Json, part, parts, resource_in, text
from smartapp.fhir.upstream.fetch import FhirServer, check_status
from smartapp.fhir.upstream.references import is_id, is_of


@dataclass(frozen=True)
class Bounds:
    """How much one search may bring: pages, bytes of all pages together, seconds."""

    pages: int
    bytes: int
    seconds: float


@dataclass
class Found:
    """The rows of the permit's patient, each once, and what went wrong. `foreign` counts rows withheld."""

    rows: list[Json] = field(default_factory=list)
    problems: dict[str, None] = field(default_factory=dict)
    foreign: int = 0

    def problem(self, code: str) -> None:
        """Notes a problem, once."""
        self.problems[code] = None

    def add(self, other: "Found", expected: Collection[str]) -> None:
        """Takes in what another search found, each row once, and what went wrong there, but for what is `expected`."""
        known = {row.get("id") for row in self.rows}
        self.rows += [row for row in other.rows if row.get("id") not in known]
        self.problems.update((code, None) for code in other.problems if code not in expected)


def search(
    server: FhirServer,
    permit: AnyPermit,
    type_: str,
    params: Mapping[str, str],
    patients: Collection[str],
    bounds: Bounds,
    clock: Clock,
    about: str = "subject",
) -> Found:
    """All rows of `type_` whose subject, named in the element `about`, is the patient: by any of the ids of `patients`.

    A search that the EHR does not offer (404) or not to us (403, 400) gives no rows and says so; a link to a next page
    that is not there ends it, and says so. Raises UpstreamMalformed when a page cannot be read: nothing of a broken
    answer is used.
    """
    found, seen = Found(), set[tuple[str, str]]()
    for page in _pages(server, permit, type_, params, bounds, clock, found):
        for row in _resources(page, type_, found):
            key = (type_, text(row.get("id")))
            if key in seen:
                continue
            seen.add(key)
            if any(is_of(row, each, server.base, about) for each in patients):
                found.rows.append(row)
            else:
                found.foreign += 1
                found.problem(f"{type_}-foreign")
    return found


def _pages(
    server: FhirServer,
    permit: AnyPermit,
    type_: str,
    params: Mapping[str, str],
    bounds: Bounds,
    clock: Clock,
    found: Found,
) -> Iterator[Json]:
    url, query, visited, size = f"{server.base}/{type_}", dict(params), set[str](), 0
    until = clock.now() + timedelta(seconds=bounds.seconds)
    while True:
        if len(visited) >= bounds.pages or size >= bounds.bytes or clock.now() >= until:
            return found.problem("ehr-paging")
        visited.add(url)
        answer = server.get(permit, url, params=query or None)
        if answer.status in _NOT_OFFERED:
            first = visited == {url}
            return found.problem(f"{type_}-{_NOT_OFFERED[answer.status]}" if first else "ehr-paging")
        check_status(answer)
        size += len(answer.body)
        page = resource_in(answer)
        if page["resourceType"] != "Bundle":
            raise UpstreamMalformed("ehr-no-bundle")
        yield page
        link = _next(page)
        if link is None:
            return None
        following = urljoin(url, link)
        if not _same_origin(following, server.base):
            return found.problem("smart.offorigin")
        if following in visited:
            return found.problem("ehr-paging")
        url, query = following, {}


_NOT_OFFERED = {400: "not-offered", 403: "forbidden", 404: "not-offered", 405: "not-offered", 422: "not-offered"}


def _resources(page: Json, type_: str, found: Found) -> Iterator[Json]:
    for entry in parts(page, "entry"):
        resource = part(entry, "resource")
        kind = resource.get("resourceType")
        if kind == "OperationOutcome":
            if any(text(issue.get("severity")) in {"error", "fatal"} for issue in parts(resource, "issue")):
                found.problem("ehr-outcome")
        elif kind == type_ and is_id(resource.get("id")):
            yield resource
        elif kind == type_ or kind is None:
            found.problem(f"{type_}-unreadable")


def _next(page: Json) -> str | None:
    return next((text(link.get("url"), 8192) for link in parts(page, "link") if link.get("relation") == "next"), None)


def _same_origin(url: str, base: str) -> bool:
    """Whether both have one scheme, host and port, and the URL carries no user information."""
    try:
        one, two = urlsplit(url), urlsplit(base)
        return (one.scheme, one.netloc.lower()) == (two.scheme, two.netloc.lower()) and "@" not in one.netloc
    except ValueError:
        return False
