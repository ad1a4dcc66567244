"""A token in a few lines, for tests of clients that leave getting one to somebody else."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from tests.clients.house import SCOPE, House
from tests.clients.person import Person

_VERIFIER = "v" * 43


def granted(
    house: House, client_id: str, redirect_uri: str, person: Person | None = None, **changes: list[str]
) -> dict[str, Any]:
    """The token answer for a public app of `redirect_uri`, allowed by `person` (else Ana) with `changes` to the page
    that is shown.
    """
    challenge = urlsafe_b64encode(sha256(_VERIFIER.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code", "client_id": client_id, "redirect_uri": redirect_uri, "scope": SCOPE, "state": "s",
        "aud": house.fhir, "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    back = (person or house.person()).allow(f"{house.issuer}/oauth/authorize?{urlencode(asked)}", **changes)
    form = {
        "grant_type": "authorization_code", "code": parse_qs(urlsplit(back).query)["code"][0], "client_id": client_id,
        "redirect_uri": redirect_uri, "code_verifier": _VERIFIER,
    }  # fmt: skip
    answer = requests.post(f"{house.issuer}/oauth/token", data=form, timeout=60)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said
