"""Somebody who holds what routes may want: a record, an app allowed, a request that waits, apps of their own.

A forged request that is refused shows something only where the same request of the person's own would have done it.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qs, urlsplit

from werkzeug.test import TestResponse

from smartapp.consent.grants.model import GrantState
from smartapp.consent.grants.service import Grants
from smartapp.db.outbox.service import Outbox
from smartapp.identity.apps.service import Apps
from smartapp.settings import Mail
from smartapp.web.parts import Parts
from smartapp.web.rules import Rule
from tests.portal.test_approval_real import answered
from tests.threats.addresses import SAFE, Address, addresses
from tests.threats.composed import BASE, OURS, Browser, Composed

HOSPITAL = "st-elsewhere"
REDIRECT = "https://app.example.org/cb"
SCOPE = "launch/patient openid patient/*.rs"
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
FORM = {"kind": "public", "client_name": "Heart App", "redirect_uris": REDIRECT, "scope": SCOPE, "provider": HOSPITAL}


MAIL = Mail("localhost", sender="images@example.org")
"""With mail there are developers."""
LEAVING = ("sign_out", "sign_out_everywhere", "logout.confirm", "approval.leave")
"""Ends of the endpoints whose right use ends what a walk goes on with."""


@dataclass(repr=False)
class Holder:
    """`known` are the values of route arguments that name what this person has."""

    composed: Composed
    browser: Browser
    known: dict[str, str] = field(default_factory=dict)
    app_token: str = ""
    """What the app got that was allowed."""
    code: str = ""
    """For what it got it."""
    developer: str = ""
    """The mail address of the developer."""

    @property
    def parts(self) -> Parts:
        found: Parts = self.composed.house.app.extensions["smartapp.parts"]
        return found

    def addresses(self) -> list[Address]:
        return list(addresses(self.composed, self.browser.ctx, self.known))

    def unsafe(self) -> list[Address]:
        """What may change something for who is signed in by a cookie, or for anybody's browser."""
        asked_by_browsers = {Rule.SESSION, Rule.DEVELOPER, Rule.PUBLIC}
        return [each for each in self.addresses() if each.methods - SAFE and each.rule in asked_by_browsers]

    def csrf(self, rule: Rule) -> str:
        """The right token for a route with this rule."""
        return self.developer_csrf() if rule is Rule.DEVELOPER else self.browser.csrf()

    def developer_csrf(self) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.browser.get("/developers/new").text)
        return found[1] if found else ""

    def form(self, address: Address) -> dict[str, str]:
        """A form that the route would take."""
        return {
            "csrf_token": self.csrf(address.rule), "address": "dev@app.example", "secret": self.known["secret"],
            "decision": "deny", **FORM,
        }  # fmt: skip

    def link(self, address: str) -> str:
        """The secret of the link that comes by mail."""
        answer = self.browser.open("/developers/link", method="POST", data={"address": address}, headers=OURS)
        assert answer.status_code == 200, answer.text
        ground = self.composed.ground
        letters = Outbox(ground.database, ground.keyring, ground.clock).claim("mail", limit=100)
        found = [json.loads(letter.payload) for letter in letters]
        mine = next(letter for letter in found if letter["to"] == address and "/developers/link/" in letter["text"])
        return str(mine["text"].split("/developers/link/")[1].split()[0])

    def become_developer(self, address: str) -> str:
        """Signs in by a link; the id of an app that is registered then."""
        self.developer, data = address, {"secret": self.link(address)}
        answer = self.browser.open("/developers/sign-in", method="POST", data=data, headers=OURS)
        assert answer.status_code == 303, answer.text
        form = {**FORM, "csrf_token": self.developer_csrf()}
        made = self.browser.open("/developers/new", method="POST", data=form, headers=OURS)
        assert made.status_code == 201, made.text
        found = re.search(r"app-[0-9A-Za-z_-]+", made.text)
        assert found is not None
        return found[0]

    def ask(self) -> str:
        """The app sends the browser here; the handle of its request, which this person's page has shown."""
        query = {
            "response_type": "code", "client_id": self.known["client_id"], "redirect_uri": REDIRECT, "scope": SCOPE,
            "state": "st", "aud": f"{BASE}/{HOSPITAL}/fhir", "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }  # fmt: skip
        answer = self.browser.get(f"/{HOSPITAL}/oauth/authorize", query_string=query)
        assert answer.status_code == 303, answer.text
        page = answer.headers["Location"]
        assert self.browser.get(page).status_code == 200
        return page.rpartition("/")[2]

    def redeem(self, answer: TestResponse) -> str:
        """The access token that the app gets for the code in this redirection."""
        self.code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
        form = {
            "grant_type": "authorization_code", "code": self.code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER,
            "client_id": self.known["client_id"],
        }  # fmt: skip
        bought = self.composed.browser().open(f"/{HOSPITAL}/oauth/token", method="POST", data=form)
        assert bought.status_code == 200, bought.text
        return str(bought.get_json()["access_token"])

    def bearer(self) -> dict[str, str]:
        """The header that opens the routes for tokens: what the app sends."""
        return {"Authorization": f"Bearer {self.app_token}"}

    def secrets(self) -> list[str]:
        """What opens something, and the mail address of the developer."""
        jar = self.browser.client
        names = (f"__Host-smartapp-{each}" for each in ("session", "developer"))
        cookies = [jar.get_cookie(name, domain="images.example.org") for name in names]
        opening = [self.app_token, self.code, self.known["handle"], self.known["secret"], self.developer]
        return [*opening, *(each.value for each in cookies if each is not None)]

    def as_it_was(self) -> bool:
        """Nothing of what this person holds has changed, and nobody was signed out."""
        parts, ground = self.parts, self.composed.ground
        app = Apps(ground.database, ground.keyring, ground.audit, ground.clock).find(HOSPITAL, self.known["client_id"])
        with ground.database.read() as session:
            grants = Grants(ground.keyring, ground.datakeys, ground.clock)
            grant = grants.find(session, self.known["grant"])
        return (
            self.browser.my().status_code == 200
            and self.browser.get("/developers/apps").status_code == 200
            and app is not None
            and app.metadata.client_name == FORM["client_name"]
            and grant is not None
            and (grant.state, grant.version) == (GrantState.ACTIVE, 1)
            and parts.approvals.open(self.known["handle"]).client_id == app.client_id
        )


def holder(composed: Composed, patient: str = "ana") -> Holder:
    """Signed in at the hospital and, in the same browser, as an app's developer."""
    found = Holder(composed, composed.signed_in(patient))
    assert found.browser.my("studies/1.2.3").status_code in {200, 404}
    address = f"{token_hex(8)}@app.example"
    found.known["client_id"] = found.become_developer(address)
    approved = answered(found.browser, f"/{HOSPITAL}/oauth/approve/{found.ask()}", "approve")
    found.app_token = found.redeem(approved)
    studies = found.browser.get(f"/{HOSPITAL}/fhir/ImagingStudy", headers=found.bearer()).get_json(force=True)
    found.known["id_"] = studies["entry"][0]["resource"]["id"]
    listed = re.search(r"/apps/([^/\"]+)/revoke", found.browser.my("apps/").text)
    assert listed is not None
    found.known |= {"grant": listed[1], "handle": found.ask(), "secret": found.link(f"other-{address}")}
    return found


def methods(address: Address) -> list[str]:
    """Those that ask for something of the route's own."""
    return sorted(address.methods - {"HEAD", "OPTIONS"})


def only_unsafe(held: Holder) -> list[Address]:
    """Those of `unsafe` whose address has no page of its own to GET, and leads to none."""
    pages = {address.path.rstrip("/") for address in held.addresses() if "GET" in address.methods}
    return [each for each in held.unsafe() if each.path not in pages]


def sent(held: Holder, address: Address, **kwargs: Any) -> int:
    """The status of an unsafe request by this person's browser, from a page of ours unless `kwargs` say otherwise."""
    method = min(address.methods - SAFE)
    return held.browser.open(address.path, **{"method": method, "headers": OURS, **kwargs}).status_code
