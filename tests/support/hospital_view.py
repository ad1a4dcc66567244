"""What a hospital itself has on file, as one of its own services reads it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import requests
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.support.sandboxes import Sandbox

Json = dict[str, Any]
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_PATIENCE = 60
"""In seconds: a worker writes what is owed soon after."""


class HospitalView:
    """Reads at one hospital of the sandbox, with one token as long as its clocks are not said to be further `ahead`, in
    seconds.
    """

    def __init__(self, sandbox: Sandbox, hospital: str = "st-elsewhere") -> None:
        self._clients = sandbox["ehr_clients"]
        self._iss = sandbox["ehr"]["iss"].replace("/st-elsewhere/", f"/{hospital}/")
        self.ahead = 0
        self._tokens = {0: self._token()}

    def consents(self, grant: str) -> list[Json]:
        """Those of a grant of ours."""
        if self.ahead not in self._tokens:
            self._tokens[self.ahead] = self._token()
        headers = {"Authorization": f"Bearer {self._tokens[self.ahead]}"}
        found = requests.get(f"{self._iss}/Consent", params={"_count": "200"}, headers=headers, timeout=10)
        assert found.status_code == 200, found.text
        kept: list[Json] = [entry["resource"] for entry in found.json().get("entry", [])]
        return [each for each in kept if each.get("identifier", [{}])[0].get("value") == grant]

    def consent(self, grant: str, status: str) -> Json:
        """The grant's one Consent, once it has this status."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            kept = self.consents(grant)
            assert len(kept) <= 1
            if kept and kept[0]["status"] == status:
                return kept[0]
            assert time.monotonic() < deadline, f"no {status} Consent: {kept}"
            time.sleep(0.2)

    def _token(self) -> str:
        client = next(each for each in self._clients if each["client_id"] == "sample-backend")
        key = ECKey.import_key(json.loads(Path(client["jwk_file"]).read_text()))
        url = f"{self._iss.removesuffix('/fhir')}/oauth/token"
        now = time.time() + self.ahead
        claims = {"iss": client["client_id"], "sub": client["client_id"], "aud": url, "jti": f"{now}"}
        assertion = jwt.encode(
            {"alg": "ES384", "kid": key.kid}, {**claims, "exp": int(now) + 60}, key, algorithms=["ES384"]
        )
        form = {
            "grant_type": "client_credentials", "scope": "system/Consent.rs", "client_assertion_type": _ASSERTION,
            "client_assertion": assertion,
        }  # fmt: skip
        answer = requests.post(url, data=form, timeout=10)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token
