"""The product, an EHR and a PACS as they run, for clients that others wrote."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.clients.person import Person

SCOPE = "launch/patient openid fhirUser offline_access patient/*.rs"
"""What an app for one person asks for that wants everything."""


@dataclass(frozen=True)
class House:
    """A running sandbox: `said` is its line of JSON. `fhir`, `dicomweb` and `issuer` are those of one hospital, by its
    number.
    """

    said: dict[str, Any]
    hospital: int = 0

    @property
    def _provider(self) -> dict[str, str]:
        found: dict[str, str] = self.said["app"]["providers"][self.hospital]
        return found

    @property
    def issuer(self) -> str:
        """The authorization server."""
        return self._provider["issuer"]

    @property
    def fhir(self) -> str:
        """The FHIR base, which is what `aud` names and an app is registered for."""
        return self._provider["fhir"]

    @property
    def dicomweb(self) -> str:
        """The DICOMweb base."""
        return self._provider["dicomweb"]

    def client(self, kind: str, *, key: bool = False) -> dict[str, Any]:
        """One of the sandbox's own samples: `public`, `confidential` (with `key`: by a key), or `backend`."""
        found = (each for each in self.said["app_clients"] if each["kind"] == kind)
        return next(each for each in found if key == bool(each["jwk_file"]) or kind == "backend")

    def key_of(self, client: dict[str, Any]) -> dict[str, Any]:
        """Its private key, as a JWK."""
        found: dict[str, Any] = json.loads(Path(client["jwk_file"]).read_text())
        return found

    def register(self, name: str, **metadata: Any) -> dict[str, Any]:
        """Registers an app as a developer's program does (RFC 7591); a public one with SCOPE unless told otherwise."""
        asked = {
            "client_name": name,
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "scope": SCOPE,
            "contacts": ["developer@example.org"],
            **metadata,
        }
        answer = requests.post(f"{self.issuer}/oauth/register", json=asked, timeout=60)
        assert answer.status_code == 201, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def person(self, username: str = "ana") -> Person:
        """A patient with a browser of their own, not signed in yet."""
        password = next(user["password"] for user in self.said["users"] if user["username"] == username)
        return Person(self.said["app"]["base"], self.said["ehr"]["portal"], username, password)
