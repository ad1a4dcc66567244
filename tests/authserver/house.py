"""The whole application over a real database, with apps, a grant and codes. Neither EHR nor PACS stands behind it."""

from __future__ import annotations

import atexit
import json
import shutil
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Literal
from urllib.parse import quote_plus

from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey
from sqlalchemy import text
from werkzeug.test import TestResponse

from smartapp.bootstrap import build_house, lay_ground
from smartapp.consent.grants.model import Grant, GrantState, Terms
from smartapp.consent.grants.service import Grants
from smartapp.consent.scopes.grammar import parse
from smartapp.identity.apps.model import App, AppMetadata, AppState, AuthMethod
from smartapp.identity.apps.service import Registered
from smartapp.identity.model import PatientKey, PrincipalKind
from smartapp.ids import new_id
from smartapp.security.keyring import Keyring
from smartapp.settings import Apps, Brand, Database, Keys, Provider, Server, Settings, Storage
from smartapp.tokens import signing_files
from smartapp.tokens.apps.model import CodeFacts
from smartapp.web.parts import Parts
from tests.support.clock import FixedClock

BASE = "http://127.0.0.1:8123"
PROVIDER = "st-elsewhere"
ISSUER = f"{BASE}/{PROVIDER}"
TOKEN = f"{ISSUER}/oauth/token"
REDIRECT = "https://app.example/callback"
AFTER = "https://app.example/bye"
VERIFIER = "v" * 43
SCOPE = "launch/patient openid fhirUser offline_access patient/DiagnosticReport.rs patient/ImagingStudy.rs"
BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

Private = RSAKey | ECKey | OKPKey
KEYS: dict[str, Private] = {
    "RS384": RSAKey.generate_key(2048, {"kid": "rsa"}),
    "PS256": RSAKey.generate_key(2048, {"kid": "pss"}),
    "ES384": ECKey.generate_key("P-384", {"kid": "p384"}),
    "ES256": ECKey.generate_key("P-256", {"kid": "p256"}),
    "EdDSA": OKPKey.generate_key("Ed25519", {"kid": "ed"}),
}
JWKS = {"keys": [key.as_dict(private=False) for key in KEYS.values()]}


@cache
def _made_keys() -> Path:
    """Made once for all tests: RSA keys take their time."""
    folder = Path(mkdtemp(prefix="smartapp-test-keys-"))
    Keyring.create(folder)
    signing_files.rotate(folder, FixedClock().now())
    atexit.register(shutil.rmtree, folder)
    return folder


def provider(name: str) -> Provider:
    return Provider(
        id=name,
        name="A hospital",
        iss=f"http://127.0.0.1:9/{name}",
        trusted_origins=("http://127.0.0.1:9",),
        client_id="smartapp",
        client_auth="none",
        scopes=(),
        dicomweb="http://127.0.0.1:9/dicomweb",
        mrn_systems=(),
        timezone="UTC",
    )


@dataclass
class AuthHouse:
    """`other` hospital is `st-mercy`. Every request goes through `post` and `get`."""

    url: str
    folder: Path
    apps_settings: Apps = field(default_factory=Apps)
    clock: FixedClock = field(default_factory=FixedClock)
    environment: Literal["production", "sandbox"] = "sandbox"
    brand: Brand | None = None

    def __post_init__(self) -> None:
        keys = self.folder / "keys"
        shutil.copytree(_made_keys(), keys, dirs_exist_ok=True)
        settings = Settings(
            server=Server(BASE),
            database=Database(self.url, lock_timeout=0.5),
            storage=Storage(self.folder / "cache"),
            keys=Keys(keys),
            providers=(replace(provider(PROVIDER), brand=self.brand), provider("st-mercy")),
            environment=self.environment,
            apps=self.apps_settings,
        )
        self.ground = lay_ground(settings, self.clock)
        self.built = build_house(self.ground)
        self.grants = Grants(self.ground.keyring, self.ground.datakeys, self.clock)

    def close(self) -> None:
        self.built.pool.close()
        self.ground.database.engine.dispose()

    @property
    def parts(self) -> Parts:
        found = self.built.app.extensions["smartapp.parts"]
        assert isinstance(found, Parts)
        return found

    @cached_property
    def http(self) -> FlaskClient:
        return self.built.app.test_client()

    def post(self, name: str, form: Any = None, *, provider: str = PROVIDER, **kwargs: Any) -> TestResponse:
        return self.http.post(f"/{provider}/oauth/{name}", data=form, base_url=BASE, **kwargs)

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.http.get(path, base_url=BASE, **kwargs)

    def registered(
        self, method: AuthMethod = "none", state: AppState = AppState.ACTIVE, provider: str = PROVIDER, **said: Any
    ) -> Registered:
        metadata = AppMetadata(
            client_name="An app",
            redirect_uris=(REDIRECT, "https://app.example/other"),
            grant_types=("authorization_code", "refresh_token"),
            token_endpoint_auth_method=method,
            scope=SCOPE,
            jwks=JWKS if method == "private_key_jwt" else None,
            post_logout_redirect_uris=(AFTER,),
        )
        return self.parts.apps.register(replace(metadata, **said), provider=provider, state=state)

    def app(self, method: AuthMethod = "none", **said: Any) -> App:
        return self.registered(method, **said).app

    def backend(self, **said: Any) -> App:
        defaults = {"grant_types": ("client_credentials",), "scope": "system/ImagingStudy.rs", "redirect_uris": ()}
        return self.app("private_key_jwt", **{**defaults, **said})

    def grant(self, app: App, **changed: Any) -> Grant:
        now = self.clock.now()
        grant = Grant(
            id=new_id("grt"),
            provider=app.provider,
            client_id=app.client_id,
            patient=PatientKey(app.provider, "ana-canary"),
            person_id="per-ana",
            granted_by=PrincipalKind.PATIENT,
            version=1,
            state=GrantState.ACTIVE,
            terms=Terms(scopes=parse(SCOPE), expires_at=now + timedelta(days=30)),
            credential_id="cred-ana",
            fhir_user="Patient/ana-canary",
            session_id=None,
            approved_at=now,
            changed_at=now,
        )
        grant = replace(grant, **changed)
        with self.ground.database.write() as session:
            self.grants.put(session, grant, kind="approved", by="patient")
        return grant

    def code(self, grant: Grant, scope: str = SCOPE, **changed: Any) -> str:
        challenge = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
        facts = CodeFacts(
            grant.client_id, grant.id, REDIRECT, challenge, scope, nonce="n-1", auth_time=self.clock.now()
        )
        with self.ground.database.write() as session:
            return self.parts.app_tokens.issue_code(session, grant.provider, replace(facts, **changed))

    def form(self, code: str, app: App, **changed: str) -> dict[str, str]:
        """The token request of a public app."""
        said = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        return {**said, "client_id": app.client_id, **changed}

    def tokens(self, app: App | None = None, **changed: Any) -> dict[str, Any]:
        """The token answer of a public app, under a new grant."""
        app = app or self.app()
        return self.ok(self.post("token", self.form(self.code(self.grant(app), **changed), app)))

    def refresh(self, token: str, **more: str) -> TestResponse:
        return self.post("token", {"grant_type": "refresh_token", "refresh_token": token, **more})

    @staticmethod
    def ok(answer: TestResponse) -> dict[str, Any]:
        assert answer.status_code == 200, answer.text
        found = answer.get_json()
        assert isinstance(found, dict)
        return found

    def assertion(self, client_id: str, alg: str = "RS384", *, header: Any = None, **claims: Any) -> str:
        """As a correct client makes it; a claim or header of None is left out."""
        now = int(self.clock.now().timestamp())
        said = {"iss": client_id, "sub": client_id, "aud": TOKEN, "exp": now + 240, "jti": new_id("jti"), **claims}
        key = KEYS[alg]
        head = {"alg": "Ed25519" if alg == "EdDSA" else alg, "kid": key.kid, "typ": "JWT", **(header or {})}
        said = {name: value for name, value in said.items() if value is not None}
        return jwt.encode({n: v for n, v in head.items() if v is not None}, said, key, algorithms=[head["alg"]])

    def asked_by(self, assertion: str, **form: str) -> dict[str, str]:
        """A backend client's token request."""
        said = {"grant_type": "client_credentials", "scope": "system/ImagingStudy.rs"}
        return {**said, "client_assertion_type": BEARER, "client_assertion": assertion, **form}

    def kinds(self, severity: str | None = None) -> list[str]:
        """The kinds of the audit rows, in their order."""
        with self.ground.database.read() as session:
            rows = session.execute(text("SELECT kind, severity FROM audit_events ORDER BY seq")).all()
        return [kind for kind, weight in rows if severity in {None, weight}]

    def reads(self, token: str) -> int:
        """The status of userinfo: whether an access token counts."""
        return self.get(f"/{PROVIDER}/oauth/userinfo", headers={"Authorization": f"Bearer {token}"}).status_code


def basic(client_id: str, secret: str) -> dict[str, str]:
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return {"Authorization": "Basic " + b64encode(pair.encode()).decode()}


def signed(header: Any, claims: Any, alg: str = "RS384") -> str:
    """A compact JWS over exactly these bytes or objects, by the library's own primitive, past its checks."""
    raw = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in (header, claims)]
    signing = b".".join(urlsafe_b64encode(each).rstrip(b"=") for each in raw)
    from joserfc.jws import JWSRegistry

    signature = JWSRegistry.algorithms[alg].sign(signing, KEYS[alg])
    return (signing + b"." + urlsafe_b64encode(signature).rstrip(b"=")).decode()
