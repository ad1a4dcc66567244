"""Resources kept in this process, as they were built and as they were written since."""

import threading
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from smartapp.sandbox.ehr.fhir.errors import FhirError
from smartapp.sandbox.ehr.fhir.matching import sort_key
from smartapp.sandbox.ehr.fhir.parameters import PARAMETERS, values
from smartapp.sandbox.ehr.fhir.query import Page, Query, Rest, View
from smartapp.sandbox.ehr.resources.common import Resource
from smartapp.sandbox.ehr.state import secret
from smartapp.sandbox.ehr.times import instant, now


class LocalStore:
    """A Backend in memory. Resources are never changed in place, so a reader needs no lock to look at one."""

    def __init__(self, resources: Iterable[Resource], zone: ZoneInfo) -> None:
        self._lock = threading.Lock()
        self._zone = zone
        self._kept: dict[str, dict[str, Resource]] = {}
        for resource in resources:
            self._kept.setdefault(resource["resourceType"], {})[resource["id"]] = resource

    def reference(self, known_as: str) -> str:
        """The sample world's own ids are ours."""
        return known_as

    def read(self, type_: str, id_: str) -> Resource | None:
        with self._lock:
            return self._kept.get(type_, {}).get(id_)

    def search(self, query: Query, view: View) -> Page:
        found = [item for item in self._all(query.type) if view.sees(item) and query.fits(item, self._zone)]
        for key in reversed(query.sort):
            name = key.removeprefix("-")
            found.sort(key=lambda item: sort_key(item, name, self._zone), reverse=key.startswith("-"))
        if query.count_only:
            return Page((), (), len(found))
        return self.more(Rest(query, len(found), tuple(item["id"] for item in found)), view)

    def more(self, rest: Rest, view: View) -> Page:
        size = rest.query.count
        read = [self.read(rest.query.type, id_) for id_ in rest.ids[:size]]
        shown = tuple(item for item in read if item and view.sees(item))
        left = rest.ids[size:]
        following = Rest(rest.query, rest.total, left) if left else None
        return Page(shown, self._included(shown, rest.query, view), rest.total, following)

    def create(self, resource: Resource) -> Resource:
        return self._keep({**resource, "id": secret()[:20].replace("_", "-")}, 1)

    def update(self, resource: Resource, if_match: str | None) -> Resource:
        with self._lock:
            current = self._kept.get(resource["resourceType"], {}).get(resource["id"])
            version = int(current["meta"]["versionId"]) if current else 0
            if if_match is not None and if_match != f'W/"{version}"':
                raise FhirError(412, "conflict", "The resource has changed since it was read.")
            return self._put(resource, version + 1)

    def _keep(self, resource: Resource, version: int) -> Resource:
        with self._lock:
            return self._put(resource, version)

    def _put(self, resource: Resource, version: int) -> Resource:
        meta = {**resource.get("meta", {}), "versionId": str(version), "lastUpdated": instant(now())}
        kept = {**resource, "meta": meta}
        self._kept.setdefault(kept["resourceType"], {})[kept["id"]] = kept
        return kept

    def _all(self, type_: str) -> list[Resource]:
        with self._lock:
            return list(self._kept.get(type_, {}).values())

    def _included(self, shown: tuple[Resource, ...], query: Query, view: View) -> tuple[Resource, ...]:
        targets = dict.fromkeys(target for item in shown for target in included_references(item, query.includes))
        read = [self.read(*target.split("/")) for target in targets]
        return tuple(item for item in read if item and view.sees_included(item))


def included_references(resource: Resource, includes: Iterable[str]) -> list[str]:
    """The relative references of a resource that `_include=Type:parameter[:Target]` asks for (FHIR R4 §3.1.1.5.4)."""
    found: list[str] = []
    for include in includes:
        source, _, rest = include.partition(":")
        name, _, target = rest.partition(":")
        kind, path = PARAMETERS.get(source, {}).get(name, ("", ""))
        if source == resource["resourceType"] and kind == "reference":
            named = [str(item.get("reference", "")) for item in values(resource, path)]
            found += [one for one in named if one.count("/") == 1 and one.startswith(f"{target}/" if target else "")]
    return found
