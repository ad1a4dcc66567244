"""A page of a search as a Bundle (R4 bundle.html, http.html#paging). Pure."""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from smartapp.fhir.facade.asked import Asked
from smartapp.fhir.facade.summary import part
from smartapp.records.resources.model import Entry, Found

Json = dict[str, Any]


def searchset(found: Found, asked: Asked, address: str, base: str, next_page: str | None) -> Json:
    """The Bundle. `address` is the search's own, `base` our FHIR base; `next_page` the sealed rest, if there is one.

    The self link says which parameters counted. It lists no other patient, total or page than what is visible.
    """
    links = [{"relation": "self", "url": _with(address, asked.used)}]
    if next_page is not None:
        links.append({"relation": "next", "url": _with(address, [("_page", next_page)])})
    entries = [_entry(entry, asked, base) for entry in found.entries if asked.query.count]
    entries += [_outcome(code) for code in found.problems]
    resource: Json = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": found.total if asked.total else None,
        "link": links,
        "entry": entries,
    }
    return {name: value for name, value in resource.items() if value not in (None, [])}


def more(found: Found, asked: Asked) -> int | None:
    """How many matches were given with this page, where there are more; None at the end."""
    given = asked.query.offset + asked.query.count
    return given if asked.query.count and given < found.total else None


def _entry(entry: Entry, asked: Asked, base: str) -> Json:
    resource = entry.resource
    shown = part(resource, asked.summary, asked.elements) if entry.mode == "match" else resource
    return {
        "fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}",
        "resource": shown,
        "search": {"mode": entry.mode},
    }


def _outcome(code: str) -> Json:
    """Says that something may be missing, since EHR or PACS did not tell all."""
    issue = {
        "severity": "warning",
        "code": "incomplete",
        "details": {
            "coding": [{"system": "urn:smartapp:error", "code": code}],
            "text": "The hospital's systems did not tell everything: more may be there than is listed.",
        },
    }
    return {"resource": {"resourceType": "OperationOutcome", "issue": [issue]}, "search": {"mode": "outcome"}}


def _with(address: str, pairs: Iterable[tuple[str, str]] | Sequence[tuple[str, str]]) -> str:
    query = urlencode(list(pairs))
    return f"{address}?{query}" if query else address
