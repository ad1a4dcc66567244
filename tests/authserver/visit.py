"""A person in a browser, an app at its redirect URI, and all that stands between them, over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from werkzeug.test import TestResponse

from smartapp.identity.apps.model import AppMetadata, AppState
from smartapp.identity.apps.service import Registered
from smartapp.launch.pkce import s256
from tests.fhir_facade.app import FHIR, VERIFIER, Clinic, Json
from tests.portal.test_approval_real import filled
from tests.threats.composed import BASE, OURS, Browser

REDIRECT = "https://app.example/cb?keep=1"
ISSUER = f"{BASE}/st-elsewhere"
STATE = "st&ate=+/"
CROSS_SITE = {"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"}
ALL = "launch/patient openid fhirUser offline_access patient/*.rs"


@dataclass
class Visit:
    """A registered app, and the browser of somebody who is signed in."""

    clinic: Clinic
    registered: Registered
    browser: Browser

    @property
    def client_id(self) -> str:
        return self.registered.app.client_id

    def asked(self, **changed: str) -> dict[str, str]:
        """The authorization request of a correct app; a value of "" is left out."""
        said = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT,
            "scope": ALL,
            "state": STATE,
            "aud": FHIR,
            "code_challenge": s256(VERIFIER),
            "code_challenge_method": "S256",
            **changed,
        }
        return {name: value for name, value in said.items() if value}

    def authorize(self, method: str = "GET", **changed: str) -> TestResponse:
        """As the app sends the browser: from another site."""
        said = {"data" if method == "POST" else "query_string": self.asked(**changed)}
        return self.browser.open("/st-elsewhere/oauth/authorize", method=method, headers=CROSS_SITE, **said)

    def told(self, page: TestResponse, decision: str = "approve", **fields: Any) -> dict[str, str]:
        """What the app is told at its redirect URI once the person has answered the page."""
        assert page.status_code == 303, page.text
        path = page.headers["Location"]
        form = {**filled(self.browser.get(path).text), "decision": decision, **fields}
        return landed(self.browser.open(path, method="POST", data=form, headers=OURS))

    def post(self, name: str, form: dict[str, str], headers: dict[str, str] | None = None) -> TestResponse:
        """The app's own program: no cookies."""
        client = self.clinic.composed.house.app.test_client(use_cookies=False)
        return client.post(f"/st-elsewhere/oauth/{name}", data=form, headers=headers, base_url=BASE)

    def exchanged(self, code: str, headers: dict[str, str] | None = None, **form: str) -> Json:
        """The token answer for a code."""
        said = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        who = {} if headers or "client_assertion" in form else {"client_id": self.client_id}
        answer = self.post("token", {**said, **who, **form}, headers)
        assert answer.status_code == 200, answer.text
        found: Json = answer.get_json()
        return found

    def allowed(self, scope: str = ALL, **changed: str) -> Json:
        """The token answer, after a yes to everything that was asked."""
        return self.exchanged(self.told(self.authorize(scope=scope, **changed))["code"])

    def refresh(self, token: str, **form: str) -> TestResponse:
        return self.post("token", {"grant_type": "refresh_token", "refresh_token": token, **form})

    def read(self, token: str, path: str, provider: str = "st-elsewhere") -> TestResponse:
        client = self.clinic.composed.house.app.test_client(use_cookies=False)
        return client.get(f"/{provider}/fhir{path}", headers={"Authorization": f"Bearer {token}"}, base_url=BASE)

    def reads(self, token: str, path: str = "/ImagingStudy") -> int:
        return self.read(token, path).status_code

    def document(self, path: str, **kwargs: Any) -> TestResponse:
        """What anybody may read."""
        client = self.clinic.composed.house.app.test_client(use_cookies=False)
        return client.get(path.removeprefix(BASE), base_url=BASE, **kwargs)


def visit(clinic: Clinic, patient: str = "ana", **said: Any) -> Visit:
    """A new app, and a new browser."""
    facts: dict[str, Any] = {
        "client_name": "Test app",
        "redirect_uris": (REDIRECT,),
        "grant_types": ("authorization_code", "refresh_token"),
        "token_endpoint_auth_method": "none",
        "scope": f"launch online_access {ALL}",
        "launch_uri": "https://app.example/launch",
        **said,
    }
    apps = clinic.parts.apps
    made = apps.register(AppMetadata(**facts), provider="st-elsewhere", state=AppState.ACTIVE)
    return Visit(clinic, made, clinic.composed.signed_in(patient))


def landed(answer: TestResponse) -> dict[str, str]:
    """The answer's parameters, once it is certain that the browser is sent to the app's registered address."""
    assert answer.status_code == 303, answer.text
    address, _, query = answer.headers["Location"].partition("?")
    assert f"{address}?{query}".startswith(f"{REDIRECT}&")
    assert urlsplit(address).fragment == ""
    return {name: values[0] for name, values in parse_qs(query, strict_parsing=True).items() if len(values) == 1}
