"""From an app's own request to a token, for clients that only want one."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from tests.clients.house import SCOPE, House


def given(house: House, client: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What a program is told of the house and of its own registration."""
    return {
        "fhir": house.fhir,
        "dicomweb": house.dicomweb,
        "client_id": client["client_id"],
        "client_secret": client.get("client_secret"),
        "jwk": house.key_of(client) if client.get("jwk_file") else None,
        "redirect_uri": next(iter(client["redirect_uris"]), None),
        **more,
    }


def token_of(
    house: House, username: str = "ana", *, client: dict[str, Any] | None = None, **ticked: list[str]
) -> dict[str, Any]:
    """The token answer for somebody's whole record, or for what they left `ticked`, at a public app."""
    app = client or house.client("public")
    place, verifier = requests.get(f"{house.fhir}/.well-known/smart-configuration", timeout=60).json(), _secret()
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": app["client_id"],
        "redirect_uri": app["redirect_uris"][0],
        "scope": SCOPE,
        "state": _secret(),
        "aud": house.fhir,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    back = house.person(username).allow(f"{place['authorization_endpoint']}?{urlencode(asked)}", **ticked)
    sent = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(back).query)["code"][0],
        "redirect_uri": asked["redirect_uri"],
        "code_verifier": verifier,
        "client_id": app["client_id"],
    }
    answer = requests.post(place["token_endpoint"], data=sent, timeout=60)
    answer.raise_for_status()
    told: dict[str, Any] = answer.json()
    return told


def studies_of(house: House, token: str, patient: str) -> dict[str, str]:
    """Study Instance UIDs that the token reaches, with what each is called."""
    headers = {"Authorization": f"Bearer {token}"}
    page = requests.get(
        f"{house.fhir}/ImagingStudy", params={"patient": patient, "_count": "100"}, headers=headers, timeout=60
    ).json()
    found = [entry["resource"] for entry in page.get("entry", []) if entry["search"]["mode"] == "match"]
    return {each["identifier"][0]["value"].removeprefix("urn:oid:"): each.get("description", "") for each in found}


def _secret() -> str:
    return secrets.token_urlsafe(48)
