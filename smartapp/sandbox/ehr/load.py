"""`python -m smartapp.sandbox.ehr.load --config FILE --hospital ID --store URL`: fills another FHIR server."""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import requests

from smartapp.sandbox.ehr.config import load_config
from smartapp.sandbox.ehr.resources.common import Resource
from smartapp.sandbox.ehr.resources.world import hospital_resources
from smartapp.sandbox.ehr.site import setting_of
from smartapp.sandbox.world import Hospital, build_world

TIMEOUT = (3, 30)
_MOST_STUDIES = 20
"""Of one person, the newest. All of Henry's take a store a quarter of a minute; the PACS has them anyway."""
_JSON = "application/fhir+json"
_HEADERS = {"Accept": _JSON, "Content-Type": _JSON, "Prefer": "return=representation"}


class LoadError(RuntimeError):
    """The store took a resource neither under its own id nor under another."""


def load(resources: list[Resource], store: str) -> dict[str, str]:
    """Write resources in their order; returns `Type/id` as built → `Type/id` in the store, the same where ids are kept.

    A store that does not let a client choose ids (FHIR R4 §3.1.0.5.1) gets them by POST, their references changed to
    the ids it gave before. May be run again: what is there already is found by its identifier. LoadError if refused.
    """
    ids: dict[str, str] = {}
    with requests.Session() as http:
        http.headers.update(_HEADERS)
        for resource in resources:
            ids[_named(resource)] = _write(http, store, _with_ids(before_its_heir(resource), ids))
        for resource in resources:
            if before_its_heir(resource) != resource:
                _write_again(http, f"{store}/{ids[_named(resource)]}", _with_ids(resource, ids))
    return ids


def before_its_heir(resource: Resource) -> Resource:
    """A merged Patient as it is while the one that replaces it is not there yet: each names the other. Any other
    resource as it is.
    """
    links = resource.get("link", [])
    kept = [link for link in links if link["type"] != "replaced-by"]
    if kept == links:
        return resource
    return {name: value for name, value in resource.items() if name != "link"} | ({"link": kept} if kept else {})


def _named(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _write_again(http: requests.Session, url: str, resource: Resource) -> None:
    body = {**resource, "id": url.rpartition("/")[2]}
    answer = http.put(url, json=body, timeout=TIMEOUT)
    if answer.status_code not in {200, 201}:
        raise LoadError(f"{resource['resourceType']}: the store answers {answer.status_code}")


def _write(http: requests.Session, store: str, resource: Resource) -> str:
    type_ = resource["resourceType"]
    body = {name: value for name, value in resource.items() if name != "meta"}
    if labels := resource.get("meta", {}).get("security"):
        body["meta"] = {"security": labels}
    answer = http.put(f"{store}/{type_}/{resource['id']}", json=body, timeout=TIMEOUT)
    if answer.status_code in {400, 404, 405, 409, 422}:
        body.pop("id")
        answer = http.post(f"{store}/{type_}", json=body, headers=_unless_there(resource), timeout=TIMEOUT)
    if answer.status_code not in {200, 201}:
        raise LoadError(f"{type_}: the store answers {answer.status_code}")
    return f"{type_}/{_id_given(answer, resource)}"


def _unless_there(resource: Resource) -> dict[str, str]:
    """If-None-Exist by identifier (FHIR R4 §3.1.0.8.1), for the types that have one."""
    for identifier in resource.get("identifier", [])[:1]:
        return {"If-None-Exist": f"identifier={identifier['system']}|{identifier['value']}"}
    return {}


def _id_given(answer: requests.Response, resource: Resource) -> str:
    location = answer.headers.get("Location", "").split("/_history/")[0]
    if answer.content:
        return str(answer.json()["id"])
    return location.rpartition("/")[2] or str(resource["id"])


def _with_ids(node: Any, ids: Mapping[str, str]) -> Any:
    """The same with references, and addresses of documents, changed to the ids of the store."""
    if isinstance(node, list):
        return [_with_ids(item, ids) for item in node]
    if not isinstance(node, dict):
        return node
    changed = {name: _with_ids(value, ids) for name, value in node.items()}
    named = changed.get("reference")
    if isinstance(named, str):
        changed["reference"] = ids.get(named, named)
    if isinstance(changed.get("url"), str):
        base, slash, binary = changed["url"].rpartition("/Binary/")
        changed["url"] = f"{base}/{ids[f'Binary/{binary}']}" if slash else changed["url"]
    return changed


def _shortened(hospital: Hospital) -> Hospital:
    people = (replace(person, studies=person.studies[-_MOST_STUDIES:]) for person in hospital.people)
    return replace(hospital, people=tuple(people))


def main() -> None:
    """Read the command line, load, and say how many resources the store has taken."""
    parser = argparse.ArgumentParser(prog="python -m smartapp.sandbox.ehr.load")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--hospital", required=True)
    parser.add_argument("--store", required=True)
    arguments = parser.parse_args()
    config = load_config(arguments.config)
    hospital = _shortened(build_world().hospital(arguments.hospital))
    setting = setting_of(hospital, config.hospitals[hospital.id], config.base_url)
    ids = load(hospital_resources(setting), arguments.store.rstrip("/"))
    changed = sum(before != after for before, after in ids.items())
    sys.stdout.write(f"{len(ids)} resources loaded, {changed} under other ids\n")


if __name__ == "__main__":
    main()
