"""What the app reads with its token: studies and reports by FHIR, pictures and files by DICOMweb."""

from collections.abc import Iterator
from typing import Any

import requests

from smartapp.sandbox.sample_app.model import Visitor
from smartapp.sandbox.sample_app.smart import TIMEOUT

_MOST_PAGES = 50
_CHUNK = 64 * 1024


class Refused(Exception):
    """The server said no: `status`, and what it said."""

    def __init__(self, answer: requests.Response) -> None:
        super().__init__(f"{answer.status_code}")
        self.status = answer.status_code
        self.said = answer.text[:2000]


def ask(visitor: Visitor, url: str, accept: str, *, stream: bool = False) -> requests.Response:
    """GET with the visitor's token; Refused for anything but 200 and 204."""
    headers = {"Authorization": f"Bearer {visitor.token.get('access_token', '')}", "Accept": accept}
    answer = requests.get(url, headers=headers, timeout=TIMEOUT, stream=stream)
    if answer.status_code not in {200, 204}:
        raise Refused(answer)
    return answer


def search(visitor: Visitor, type_: str, **parameters: str) -> list[dict[str, Any]]:
    """All matches of a FHIR search, page after page."""
    base = visitor.registration.fhir if visitor.registration else ""
    query = "&".join(f"{name}={value}" for name, value in parameters.items())
    url: str | None = f"{base}/{type_}?{query}"
    found: list[dict[str, Any]] = []
    for _ in range(_MOST_PAGES):
        if url is None:
            break
        bundle = ask(visitor, url, "application/fhir+json").json()
        found += [
            entry["resource"]
            for entry in bundle.get("entry", [])
            if entry["resource"]["resourceType"] == type_ and entry.get("search", {}).get("mode") != "outcome"
        ]
        url = next((link["url"] for link in bundle.get("link", []) if link["relation"] == "next"), None)
    return found


def uid_of(study: dict[str, Any]) -> str:
    """The Study Instance UID of an ImagingStudy."""
    values = [each["value"] for each in study.get("identifier", []) if each.get("system") == "urn:dicom:uid"]
    return str(values[0]).removeprefix("urn:oid:") if values else ""


def dicomweb_of(visitor: Visitor, study: dict[str, Any]) -> str:
    """The DICOMweb address that the study's Endpoint names."""
    base = visitor.registration.fhir if visitor.registration else ""
    endpoint = ask(visitor, f"{base}/{study['endpoint'][0]['reference']}", "application/fhir+json").json()
    return str(endpoint["address"])


def rows(visitor: Visitor, url: str) -> list[dict[str, Any]]:
    """A DICOMweb search."""
    answer = ask(visitor, url, "application/dicom+json")
    return [] if answer.status_code == 204 else list(answer.json())


def value(row: dict[str, Any], tag: str) -> str:
    """The first value of an element, as text."""
    return str((row.get(tag, {}).get("Value") or [""])[0])


def download(visitor: Visitor, url: str) -> Iterator[bytes]:
    """The bytes of a whole study, as they come."""
    with ask(visitor, url, 'multipart/related; type="application/dicom"; transfer-syntax=*', stream=True) as answer:
        yield from answer.iter_content(_CHUNK)
