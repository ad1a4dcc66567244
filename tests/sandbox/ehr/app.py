"""A SMART app, and the browser of the person who uses it; written for these tests only."""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import requests

from tests.sandbox.ehr.keys import assertion
from tests.sandbox.ehr.process import LAUNCH, REDIRECT

TIMEOUT = 20


class Browser:
    """Follows redirects until they leave the EHR, and fills in forms."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.http = requests.Session()
        self.page = ""
        self.status = 0
        self.left_for: str | None = None
        self.answer = requests.Response()

    def get(self, url: str, **params: Any) -> "Browser":
        return self._go("GET", url, params=params)

    def post(self, url: str, data: Any) -> "Browser":
        return self._go("POST", url, data=data)

    def submit(self, number: int = 0, **filled: str) -> "Browser":
        form = re.findall(r"<form.*?</form>", self.page, re.DOTALL)[number]
        action = re.findall(r'action="([^"]+)"', form)[0]
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
        return self.post(unescape(action), {**hidden, **filled})

    def press(self, label: str) -> "Browser":
        forms = re.findall(r"<form.*?</form>", self.page, re.DOTALL)
        return self.submit(next(number for number, form in enumerate(forms) if f">{label}<" in form))

    def _go(self, method: str, url: str, **more: Any) -> "Browser":
        self.left_for = None
        while True:
            self.answer = self.http.request(method, url, allow_redirects=False, timeout=TIMEOUT, **more)
            self.status, self.page = self.answer.status_code, self.answer.text
            if not self.answer.is_redirect:
                return self
            method, url, more = "GET", self.answer.headers["Location"], {}
            if not url.startswith(self.base):
                self.left_for = url
                return self

    @property
    def landed(self) -> dict[str, str]:
        """The query of the app's address at which the browser ended."""
        assert self.left_for is not None, (self.status, self.page)
        return dict(parse_qsl(urlsplit(self.left_for).query))


@dataclass
class App:
    """One registered client at one hospital's EHR."""

    base: str
    hospital: str = "st-elsewhere"
    client_id: str = "other"
    secret: str | None = None
    asymmetric: bool = False
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def issuer(self) -> str:
        return f"{self.base}/{self.hospital}"

    @property
    def iss(self) -> str:
        return f"{self.issuer}/fhir"

    @property
    def token_url(self) -> str:
        return f"{self.issuer}/oauth/token"

    def browser(self) -> Browser:
        return Browser(self.base)

    def request(self, scope: str, **changed: str | None) -> dict[str, str]:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        wanted = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": REDIRECT, "scope": scope,
            "state": "a state", "nonce": "a nonce", "aud": self.iss, "code_challenge_method": "S256",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), **changed,
        }  # fmt: skip
        return {name: value for name, value in wanted.items() if value is not None}

    def authorize(self, browser: Browser, scope: str, **changed: str | None) -> Browser:
        return browser.get(f"{self.issuer}/oauth/authorize", **self.request(scope, **changed))

    def token(self, **form: Any) -> requests.Response:
        auth = (quote(self.client_id), quote(self.secret)) if self.secret else None
        own = {"client_id": self.client_id}
        if self.asymmetric:
            kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            own |= {"client_assertion": assertion(self.client_id, self.token_url), "client_assertion_type": kind}
        return requests.post(self.token_url, data={**own, **form}, auth=auth, timeout=TIMEOUT)

    def redeem(self, code: str, **changed: Any) -> requests.Response:
        form = {"code": code, "redirect_uri": REDIRECT, "code_verifier": self.verifier, **changed}
        return self.token(grant_type="authorization_code", **form)

    def refresh(self, value: str, **more: Any) -> requests.Response:
        return self.token(grant_type="refresh_token", refresh_token=value, **more)

    def sign_in(self, username: str, password: str, scope: str) -> dict[str, Any]:
        """The token response after a standalone launch in which the person approves."""
        browser = self.authorize(Browser(self.base), scope)
        browser.submit(username=username, password=password)
        if browser.left_for is None:
            browser.submit(decision="approve")
        answer = self.redeem(browser.landed["code"])
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def portal_launch(self, username: str, password: str, label: str, page: str = "portal") -> Browser:
        """A browser that signed in at the portal and pressed a button: it is at the app's launch address now."""
        browser = Browser(self.base).get(f"{self.issuer}/{page}")
        browser.submit(username=username, password=password).press(label)
        assert browser.left_for is not None
        assert browser.left_for.startswith(LAUNCH)
        return browser

    def fhir(self, path: str, token: str | None, method: str = "GET", **more: Any) -> requests.Response:
        headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **more.pop("headers", {})}
        return requests.request(method, f"{self.iss}/{path}", headers=headers, timeout=TIMEOUT, **more)
