"""A small EHR that can be told to misbehave at any step of a launch."""

import json
import time
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import urlsafe_b64encode

from tests.launch.server import Asked, Said, Server, said

KEY = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": "one"})
OTHER_KEY = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": "two"})
EC_KEY = ECKey.generate_key("P-384", {"use": "sig", "alg": "ES384", "kid": "ec"})
CLIENT = "imaging"
PATIENT = "p1"
GRANTED = "launch/patient openid fhirUser offline_access patient/ImagingStudy.rs patient/DiagnosticReport.rs"


class FakeEhr:
    """Everything is right until a test changes `metadata`, `keys`, `claims`, `header` or `answer`."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.origin = server.origin
        self.iss = f"{server.origin}/fhir"
        self.issuer = f"{server.origin}/auth"
        self.metadata: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?tenant=7",
            "token_endpoint": f"{self.issuer}/token",
            "revocation_endpoint": f"{self.issuer}/revoke",
            "jwks_uri": f"{self.issuer}/keys",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        self.openid: dict[str, Any] = {}
        """What openid-configuration says, where it differs from `metadata`."""
        self.keys: list[dict[str, Any]] = [dict(KEY.as_dict(private=False)), dict(EC_KEY.as_dict(private=False))]
        self.signer: RSAKey | ECKey = KEY
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "one", "typ": "JWT"}
        self.claims: dict[str, Any] = {"sub": "person-1", "fhirUser": f"{self.iss}/Patient/{PATIENT}"}
        self.answer: dict[str, Any] = {
            "access_token": "access-1",
            "refresh_token": "refresh-1",
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": GRANTED,
            "patient": PATIENT,
        }
        self.raw_id_token: str | None = None
        self.raw_header: bytes | None = None
        self.raw_key = KEY.get_op_key("sign")
        self.nonce = ""
        server.at("/fhir/.well-known/smart-configuration", lambda _: said(self.metadata))
        server.at("/auth/.well-known/openid-configuration", lambda _: said(self.openid or self.metadata))
        server.at("/auth/keys", lambda _: said({"keys": self.keys}))
        server.at("/auth/token", self.token)
        server.at("/auth/revoke", Said())

    def token(self, asked: Asked) -> Said:
        if asked.form.get("grant_type") != "authorization_code":
            return said({"error": "invalid_grant"}, 400)
        id_token = self.id_token() if self.raw_id_token is None else self.raw_id_token
        return said({**self.answer, **({"id_token": id_token} if id_token else {})})

    def said_next(self, changed: dict[str, Any]) -> Said:
        """An answer to a refresh, without a new refresh token unless `changed` has one."""
        return said({"access_token": "access-next", "token_type": "Bearer", "expires_in": 3600, **changed})

    def id_token(self) -> str:
        if self.raw_header is not None:
            return signed_raw(self.raw_header, json.dumps(self.right_claims()).encode(), self.raw_key)
        return signed(self.header, self.right_claims(), self.signer)

    def right_claims(self) -> dict[str, Any]:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": self.nonce, **self.claims}
        return {name: value for name, value in claims.items() if value is not None}

    def consent(self, authorize_url: str, **changed: str | None) -> dict[str, list[str]]:
        """What the browser brings back after the person agreed; `changed` adds, replaces or (None) removes."""
        asked = dict(parse_qsl(urlsplit(authorize_url).query))
        self.nonce = asked["nonce"]
        given = {"code": "code-1", "state": asked["state"], "iss": self.issuer, **changed}
        return {name: [value] for name, value in given.items() if value is not None}

    @property
    def token_requests(self) -> list[Asked]:
        return self.server.asked("/auth/token")


def signed(header: dict[str, Any], claims: Any, key: RSAKey | ECKey) -> str:
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return jws.serialize_compact(header, payload, key, algorithms=["RS256", "RS384", "ES384"])


def unsigned(header: bytes, payload: bytes, signature: bytes = b"x") -> str:
    return b".".join(map(urlsafe_b64encode, (header, payload, signature))).decode()


def signed_raw(header: bytes, payload: bytes, key: RSAPrivateKey) -> str:
    """A compact JWS with a header that no library would write, and a signature (RS256) that is right."""
    signing_input = b".".join(map(urlsafe_b64encode, (header, payload)))
    signature = key.sign(signing_input, PKCS1v15(), SHA256())
    return b".".join((signing_input, urlsafe_b64encode(signature))).decode()


def query_of(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)
