"""What the tests of grants do again and again."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import text

from smartapp.bootstrap.apps import build_alerts, build_jobs_of_grants
from smartapp.consent.grants.model import Grant, Terms
from smartapp.consent.scopes.grammar import parse
from smartapp.db.outbox.service import Outbox
from smartapp.exchange.approvals.service import Asked
from smartapp.exchange.grants.desk import Desk
from smartapp.exchange.grants.service import AppGrants
from smartapp.identity.apps.model import App, AppMetadata, AppState
from smartapp.identity.contacts.service import Contact, Contacts
from smartapp.identity.model import Principal
from smartapp.tokens.apps.model import Issued
from smartapp.web.parts import Parts
from tests.launch.server import Asked as Request
from tests.launch.server import Said
from tests.threats.composed import Browser, Composed

VERIFIER = "a-verifier-that-is-long-enough-for-the-rule-0123456789"
REDIRECT = "https://app.example.org/cb?keep=1"
ALL = "launch/patient openid offline_access patient/*.rs"


@dataclass(repr=False)
class Office:
    """The application's use-cases, and one app that was registered."""

    composed: Composed
    app: App = field(init=False)

    def __post_init__(self) -> None:
        self.app = self.register("Canary Heart App")

    @property
    def parts(self) -> Parts:
        found: Parts = self.composed.house.app.extensions["smartapp.parts"]
        return found

    @property
    def grants(self) -> AppGrants:
        return self.parts.app_grants

    @property
    def desk(self) -> Desk:
        return self.grants._looking._desk

    def register(self, name: str, state: AppState = AppState.ACTIVE, **said: Any) -> App:
        metadata = AppMetadata(
            client_name=name,
            redirect_uris=(REDIRECT,),
            grant_types=("authorization_code", "refresh_token"),
            token_endpoint_auth_method="none",
            scope=ALL,
            **{"launch_uri": "https://app.example.org/launch", **said},
        )
        return self.parts.apps.register(metadata, provider="st-elsewhere", state=state).app

    def principal(self, browser: Browser) -> Principal:
        session = self.parts.identity.lookup(browser.cookie())
        assert session is not None
        return self.parts.identity.principal(session, browser.ctx)

    def someone(self, patient: str = "ana") -> tuple[Browser, Principal]:
        browser = self.composed.signed_in(patient)
        return browser, self.principal(browser)

    def ask(self, **changed: Any) -> str:
        facts = {
            "provider": "st-elsewhere",
            "client_id": self.app.client_id,
            "redirect_uri": REDIRECT,
            "state": "st&ate",
            "scope": ALL,
            "challenge": challenge(),
            **changed,
        }
        return self.parts.approvals.begin(Asked(**facts))

    def approve(self, principal: Principal, handle: str | None = None, **terms: Any) -> str:
        """The code."""
        url = self.grants.approve(
            principal, handle or self.ask(), some_terms(**terms), session_id=principal.session_id, request_id="req-1"
        )
        return query(url)["code"]

    def redeem(self, code: str) -> Issued:
        return self.parts.app_tokens.redeem(
            "st-elsewhere",
            code,
            client_id=self.app.client_id,
            redirect_uri=REDIRECT,
            verifier=VERIFIER,
            request_id="req-2",
        )

    def the_grant(self, principal: Principal) -> Grant:
        views = self.grants.list(principal)
        assert len(views) == 1
        return views[0].grant

    def rows(self, table: str) -> int:
        with self.composed.ground.database.read() as session:
            return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 -- ours

    def outbox(self) -> Outbox:
        ground = self.composed.ground
        return Outbox(ground.database, ground.keyring, ground.clock)

    def letters(self) -> list[dict[str, Any]]:
        """The letters about apps that wait; each is shown once."""
        outbox, found = self.outbox(), []
        while entries := outbox.claim("mail"):
            found += [json.loads(entry.payload) for entry in entries]
            for entry in entries:
                outbox.done(entry)
        return [letter for letter in found if "sign-in" not in letter["subject"]]

    def with_mail(self, principal: Principal) -> None:
        ground = self.composed.ground
        contacts = Contacts(ground.datakeys, ground.clock)
        with ground.database.write() as session:
            contacts.may_ask(session, principal.person_id)
            contacts.keep(session, principal.person_id, Contact("ana@example.org", "en"))

    def work(self) -> None:
        """The worker's turn, until nothing is left."""
        ground = self.composed.ground
        jobs = build_jobs_of_grants(ground, self.outbox(), build_alerts(ground))
        while sum(job.run_once() for job in jobs):
            continue


@dataclass
class ConsentShelf:
    """Consents at the EHR: conditional create, versions, as FHIR R4 has them."""

    office: Office
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    down: bool = False
    refusing: bool = False
    """It takes Consents from nobody, and lets them be read: the scope for more was not given."""
    writes: int = 0

    def __post_init__(self) -> None:
        server = self.office.composed.first.ehr.server
        server.at("/fhir/Consent", self._type)
        server.at("/fhir/Consent/c1", self._one)

    def _type(self, asked: Request) -> Said:
        if self.down:
            return Said(status=503)
        if self.refusing and asked.method != "GET":
            return Said(status=403)
        if asked.method == "GET":
            return self._json({"resourceType": "Bundle", "type": "searchset", "entry": self._found(asked.query)})
        if found := self._found(one_each(asked.headers["if-none-exist"])):
            return self._json(found[0]["resource"])
        return self._keep(asked, 1, 201)

    def _one(self, asked: Request) -> Said:
        version = int(self.kept["c1"]["meta"]["versionId"])
        if asked.headers.get("if-match") != f'W/"{version}"':
            return Said(status=412)
        return self._keep(asked, version + 1, 200)

    def _found(self, wanted: dict[str, str]) -> list[dict[str, Any]]:
        return [
            {"resource": each}
            for each in self.kept.values()
            if f"Patient/{wanted['patient']}" == each["patient"]["reference"]
            and wanted.get("identifier") in {None, "{system}|{value}".format(**each["identifier"][0])}
            and wanted.get("status") in {None, each["status"]}
        ]

    def _keep(self, asked: Request, version: int, status: int) -> Said:
        from fhir.resources.R4B.consent import Consent

        said = json.loads(asked.body)
        Consent.model_validate(said)
        self.writes += 1
        self.kept["c1"] = {**said, "id": "c1", "meta": {"versionId": str(version)}}
        return self._json(self.kept["c1"], status)

    @staticmethod
    def _json(body: dict[str, Any], status: int = 200) -> Said:
        return Said(json.dumps(body).encode(), status, "application/fhir+json")


def some_terms(scope: str = ALL, **changed: Any) -> Terms:
    return Terms(**{"scopes": parse(scope), **changed})


def query(url: str) -> dict[str, str]:
    return one_each(urlsplit(url).query)


def one_each(encoded: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(encoded).items()}


def challenge() -> str:
    from smartapp.launch.pkce import s256

    return s256(VERIFIER)
