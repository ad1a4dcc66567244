"""How a PACS answers what we will ask of it, asked about a study that cannot exist: nothing of anybody's is read."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from smartapp.dicomweb.upstream.credentials import own_headers
from smartapp.errors import SmartappError
from smartapp.outbound.findings import Finding
from smartapp.outbound.service import Door, Outbound
from smartapp.settings import Provider

_NOBODYS_STUDY: Final = "2.25.0"
_MULTIPART: Final = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_JSON: Final = "application/dicom+json"


def survey(provider: Provider, outbound: Outbound) -> list[Finding]:
    """Search (QIDO-RS), metadata and retrieval (WADO-RS), each with the Accept that we send (PS3.18 §8.7)."""
    parts = urlsplit(provider.dicomweb)
    door = outbound.for_origins(
        f"doctor-{provider.id}", (f"{parts.scheme}://{parts.netloc}",), ca_file=provider.ca_file
    )
    name = f"PACS of {provider.id}"
    try:
        status = _ask(door, provider, "/studies", _JSON, {"StudyInstanceUID": _NOBODYS_STUDY})
    except SmartappError as error:
        return [Finding(name, "fails", f"does not answer ({error.code}): is {provider.dicomweb} its DICOMweb root?")]
    if status in {401, 403}:
        return [_refused(name, provider, status)]
    if status not in {200, 204}:
        return [Finding(name, "fails", f"answers a search with {status}: is {provider.dicomweb} its DICOMweb root?")]
    return [
        Finding(name, "works", "answers searches with our credential"),
        _retrieval(door, provider, "metadata", f"/studies/{_NOBODYS_STUDY}/metadata", _JSON),
        _retrieval(door, provider, "retrieval", f"/studies/{_NOBODYS_STUDY}", _MULTIPART),
    ]


def _retrieval(door: Door, provider: Provider, what: str, path: str, accept: str) -> Finding:
    """Nobody's study is 404, or an empty answer; what was not understood is said otherwise."""
    name = f"{what} at the PACS of {provider.id}"
    try:
        status = _ask(door, provider, path, accept, {})
    except SmartappError as error:
        return Finding(name, "look", f"does not answer for a study that is not there ({error.code})")
    if status in {200, 204, 404, 410}:
        return Finding(name, "works", f"understands our Accept ({status} for a study that is not there)")
    if status == 406:
        return Finding(name, "fails", f"does not take Accept: {accept}")
    return Finding(name, "look", f"answers {status} for a study that is not there: try one that is, after a sign-in")


def _refused(name: str, provider: Provider, status: int) -> Finding:
    if provider.dicomweb_auth == "ehr-token":
        return Finding(name, "works", "answers; its door opens with a person's EHR token only, which nobody holds now")
    secret = {
        "basic": "look at dicomweb_user and dicomweb_password_file",
        "bearer": "look at dicomweb_token_file",
        "none": 'it wants a credential: choose another dicomweb_auth than "none"',
    }[provider.dicomweb_auth]
    return Finding(name, "fails", f"refuses us ({status}): {secret}")


def _ask(door: Door, provider: Provider, path: str, accept: str, query: Mapping[str, str]) -> int:
    headers = {"Accept": accept, **own_headers(provider)}
    return door.request("GET", provider.dicomweb.rstrip("/") + path, headers=headers, params=dict(query)).status
