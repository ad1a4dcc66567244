"""Resources kept by a plain FHIR server behind this one, which knows neither tokens nor patients' rights.

Every search is narrowed to the patients in reach before it is asked, and every row is judged when it comes back.
"""

import threading
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from smartapp.sandbox.ehr.fhir.errors import FhirError
from smartapp.sandbox.ehr.fhir.query import Page, Query, Rest, View
from smartapp.sandbox.ehr.resources.common import Resource

TIMEOUT = (3, 20)
MOST_PAGES = 50
_JSON = "application/fhir+json"


class RemoteStore:
    """A Backend that asks another server. People are found there by their identifiers, whatever ids it gave them."""

    def __init__(self, base: str, known: Iterable[Resource]) -> None:
        self._base = base
        self._identifiers = {
            f"{item['resourceType']}/{item['id']}": item["identifier"][0] for item in known if "identifier" in item
        }
        self._ids: dict[str, str] = {}
        self._lock = threading.Lock()

    def reference(self, known_as: str) -> str:
        with self._lock:
            found = self._ids.get(known_as)
        if found is None:
            found = self._find(known_as)
            with self._lock:
                self._ids[known_as] = found
        return found

    def read(self, type_: str, id_: str) -> Resource | None:
        answer = self._ask("GET", f"{self._base}/{type_}/{id_}")
        if answer.status_code in {404, 410}:
            return None
        resource = self._own(_json(answer))
        if resource.get("resourceType") != type_ or resource.get("id") != id_:
            raise _unusable()
        return resource

    def search(self, query: Query, view: View) -> Page:
        if view.patients is not None and not view.patients:
            return Page((), (), 0)
        page = self._page(query, f"{self._base}/{query.type}", _narrowed(query, view), view)
        return self._counted(page, view) if query.count_only else page

    def more(self, rest: Rest, view: View) -> Page:
        return self._page(rest.query, str(rest.url), None, view)

    def create(self, resource: Resource) -> Resource:
        return self._own(_json(self._ask("POST", f"{self._base}/{resource['resourceType']}", json=resource)))

    def update(self, resource: Resource, if_match: str | None) -> Resource:
        headers = {"If-Match": if_match} if if_match else {}
        url = f"{self._base}/{resource['resourceType']}/{resource['id']}"
        return self._own(_json(self._ask("PUT", url, json=resource, headers=headers)))

    def _find(self, known_as: str) -> str:
        identifier = self._identifiers[known_as]
        type_ = known_as.partition("/")[0]
        wanted = {"identifier": f"{identifier['system']}|{identifier['value']}"}
        # A store may ignore the parameter, so each row is looked at, on every page.
        rows = self._rows(f"{self._base}/{type_}", wanted)
        ids = {str(row["id"]) for row in rows if row["resourceType"] == type_ and _has(row, identifier["value"])}
        if len(ids) != 1:
            raise FhirError(503, "transient", "The store does not hold the sample people: load them first.")
        return f"{type_}/{ids.pop()}"

    def _rows(self, first: str, params: dict[str, str]) -> Iterator[Resource]:
        url: str | None = first
        for visit in range(MOST_PAGES):
            if url is None:
                return
            bundle = _json(self._ask("GET", url, params=None if visit else params))
            yield from _resources(bundle)
            url = self._next(bundle, url)

    def _page(self, query: Query, url: str, params: list[tuple[str, str]] | None, view: View) -> Page:
        bundle = _json(self._ask("GET", url, params=params))
        read = [self._own(item) for item in _resources(bundle)]
        found = [item for item in read if item["resourceType"] != "OperationOutcome"]
        own = [item for item in found if item["resourceType"] == query.type]
        shown = tuple(item for item in own if view.sees(item))
        others = tuple(item for item in found if item["resourceType"] != query.type and view.sees_included(item))
        # The store's total counts what a filtered scope hides.
        told = bundle.get("total") if len(shown) == len(own) and not view.filtered else None
        total = told if isinstance(told, int) else None
        following = self._next(bundle, url)
        return Page(shown, others, total, Rest(query, total, url=following) if following else None)

    def _counted(self, page: Page, view: View) -> Page:
        """The number of rows in sight, counted one by one: the store's own total may count what is hidden."""
        total, rest, visited = len(page.matches), page.rest, 1
        while rest and visited < MOST_PAGES:
            page = self.more(rest, view)
            total, rest, visited = total + len(page.matches), page.rest, visited + 1
        return Page((), (), total)

    def _own(self, resource: Resource) -> Resource:
        return {name: _relative(value, f"{self._base}/") for name, value in resource.items()}

    def _next(self, bundle: Resource, asked: str) -> str | None:
        links = [link.get("url") for link in bundle.get("link", []) if link.get("relation") == "next"]
        if not links:
            return None
        url = urljoin(asked, str(links[0]))
        # The store may know itself under another host; only its path and query are followed, on the host we know.
        place = urlsplit(url)
        home = urlsplit(self._base)
        return place._replace(scheme=home.scheme, netloc=home.netloc).geturl()

    def _ask(self, method: str, url: str, **more: Any) -> requests.Response:
        headers = {"Accept": _JSON, "Content-Type": _JSON, **more.pop("headers", {})}
        try:
            answer = requests.request(method, url, headers=headers, timeout=TIMEOUT, allow_redirects=False, **more)
        except requests.RequestException as error:
            raise FhirError(503, "transient", "The store does not answer.") from error
        if answer.status_code in {400, 409, 412, 422}:
            raise FhirError(answer.status_code, "processing", "The store refuses this.")
        if answer.status_code >= 300 and answer.status_code not in {404, 410}:
            raise FhirError(502, "exception", "The store failed.")
        return answer


def _narrowed(query: Query, view: View) -> list[tuple[str, str]]:
    """The search with its patients put in by us: what the client wrote there has been judged and is dropped."""
    parameters = query.parameters()
    if query.count_only:
        parameters = [*query.criteria, ("_count", "100")]
    if view.patients is None:
        return parameters
    wanted = query.patients() or view.patients
    name = "_id" if query.type == "Patient" else "patient"
    kept = [(key, value) for key, value in parameters if key not in {"patient", "subject"}]
    return [*kept, (name, ",".join(sorted(wanted & view.patients)))]


def _relative(node: Any, base: str) -> Any:
    """The same with references into the store made relative: a client sees our base and never the store's."""
    if isinstance(node, list):
        return [_relative(item, base) for item in node]
    if not isinstance(node, dict):
        return node
    changed = {name: _relative(value, base) for name, value in node.items()}
    if isinstance(changed.get("reference"), str):
        changed["reference"] = changed["reference"].removeprefix(base)
    return changed


def _json(answer: requests.Response) -> Resource:
    try:
        body = answer.json()
    except ValueError as error:
        raise _unusable() from error
    if answer.status_code in {404, 410} or not isinstance(body, dict):
        raise _unusable()
    return body


def _unusable() -> FhirError:
    return FhirError(502, "exception", "The store's answer cannot be used.")


def _resources(bundle: Resource) -> list[Resource]:
    entries = [entry.get("resource") for entry in bundle.get("entry", [])]
    return [item for item in entries if isinstance(item, dict) and "resourceType" in item]


def _has(item: Resource, value: str) -> bool:
    return any(one.get("value") == value for one in item.get("identifier", []))
