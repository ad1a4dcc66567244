"""Search results as a Bundle, and resources as HTTP answers (FHIR R4 §3.1.1.6)."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Response

from smartapp.sandbox.ehr.fhir.query import Page, Query
from smartapp.sandbox.ehr.resources.common import Resource
from smartapp.sandbox.ehr.site import Site
from smartapp.sandbox.ehr.state import secret
from smartapp.sandbox.ehr.times import now

FHIR_JSON = "application/fhir+json"
PAGE_LIFE = timedelta(minutes=15)


def to_response(body: dict[str, Any], status: int = 200) -> Response:
    """A resource as an HTTP answer that nobody may keep."""
    answer = Response(json.dumps(body), status, content_type=f"{FHIR_JSON}; charset=utf-8")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def bundle_of(site: Site, query: Query, page: Page, page_value: str | None) -> Resource:
    """The page as a searchset. Its `next` link carries an opaque value only, good for 15 minutes."""
    own = urlencode({"_page": page_value}) if page_value else ""
    self_url = f"{site.fhir_base}?{own}" if own else f"{site.fhir_base}/{query.type}?{urlencode(query.parameters())}"
    links = [{"relation": "self", "url": self_url}]
    if page.rest:
        value = secret()
        site.add_page(value, page.rest, now() + PAGE_LIFE)
        links.append({"relation": "next", "url": f"{site.fhir_base}?{urlencode({'_page': value})}"})
    entries = [_entry(site, item, "match") for item in page.matches]
    entries += [_entry(site, item, "include") for item in page.included]
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        **({"total": page.total} if page.total is not None else {}),
        "link": links,
        **({"entry": entries} if entries else {}),
    }


def _entry(site: Site, item: Resource, mode: str) -> Resource:
    url = f"{site.fhir_base}/{item['resourceType']}/{item['id']}"
    return {"fullUrl": url, "resource": item, "search": {"mode": mode}}
