"""The apps that the EHR knows: the product at each hospital, and samples for programs from outside."""

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from joserfc.jwk import ECKey

from smartapp.sandbox.addresses import Addresses

APP_SCOPES = (
    "launch", "launch/patient", "openid", "fhirUser", "online_access", "patient/Patient.rs",
    "patient/ImagingStudy.rs", "patient/DiagnosticReport.rs", "patient/Observation.rs", "patient/Binary.rs",
    "patient/Endpoint.rs", "patient/Practitioner.rs", "patient/Organization.rs", "patient/ServiceRequest.rs",
    "patient/Consent.crus",
)  # fmt: skip
SYSTEM_SCOPES = (
    "system/Patient.rs", "system/ImagingStudy.rs", "system/DiagnosticReport.rs", "system/Observation.rs",
    "system/Binary.rs", "system/Practitioner.rs", "system/Organization.rs", "system/Consent.crus",
)  # fmt: skip
_SAMPLE_SCOPE = "launch launch/patient openid fhirUser offline_access online_access patient/*.rs user/*.rs"
SAMPLE_REDIRECTS = ("http://127.0.0.1:8765/callback", "http://127.0.0.1:3000/callback", "http://127.0.0.1/callback")


@dataclass(frozen=True)
class EhrClient:
    """One registration. A client has a secret or a key or neither; `launch_url` makes a button in the portal."""

    client_id: str
    kind: Literal["public", "confidential", "backend"]
    name: str
    scope: str
    hospitals: tuple[str, ...]
    redirect_uris: tuple[str, ...] = ()
    secret: str | None = field(default=None, repr=False)
    key: ECKey | None = field(default=None, repr=False)
    key_file: Path | None = None
    launch_url: str | None = None
    trusted: bool = False

    def registration(self) -> dict[str, Any]:
        """As the EHR's configuration has it: of a key, the public half."""
        asymmetric = self.kind == "confidential" and self.key is not None
        return {
            "client_id": self.client_id,
            "kind": "asymmetric" if asymmetric else self.kind,
            "name": self.name,
            "scope": self.scope,
            "redirect_uris": list(self.redirect_uris),
            "client_secret": self.secret,
            "jwks": {"keys": [self.key.as_dict(private=False)]} if self.key else None,
            "launch_url": self.launch_url,
            "trusted": self.trusted,
        }

    def line_entry(self) -> dict[str, Any]:
        """As the start's line of JSON has it."""
        return {
            "client_id": self.client_id,
            "kind": self.kind,
            "client_secret": self.secret,
            "jwk_file": str(self.key_file) if self.key_file else None,
            "redirect_uris": list(self.redirect_uris),
            "scope": self.scope,
        }


def make_clients(addresses: Addresses, folder: Path) -> tuple[EhrClient, ...]:
    """All registrations, with fresh secrets and keys; private keys are written to `folder`.

    The product's comes first, one per hospital: with a key and refresh tokens at the first hospital; with a secret at
    the others, which give patients no refresh token and know the product as a backend service. So both ways are walked.
    """
    first, *others = addresses.hospitals
    ours = [_app(addresses, first, "smartapp", folder)]
    ours += [_app(addresses, hospital, f"smartapp-{hospital}", None) for hospital in others]
    services = [
        _service(hospital, f"{client.client_id}-service", folder)
        for hospital, client in zip(others, ours[1:], strict=True)
    ]
    return (*ours, *_samples(addresses.hospitals, folder), *services)


def _service(hospital: str, client_id: str, folder: Path) -> EhrClient:
    key, key_file = new_key(folder, client_id)
    return EhrClient(
        client_id,
        "backend",
        "My imaging, as a service",
        " ".join(SYSTEM_SCOPES),
        (hospital,),
        key=key,
        key_file=key_file,
    )


def _app(addresses: Addresses, hospital: str, client_id: str, folder: Path | None) -> EhrClient:
    key, key_file = new_key(folder, client_id) if folder else (None, None)
    return EhrClient(
        client_id=client_id,
        kind="confidential",
        name="My imaging",
        scope=" ".join((*APP_SCOPES, *(["offline_access"] if key else []))),
        hospitals=(hospital,),
        redirect_uris=(f"{addresses.app}/callback",),
        secret=None if key else secrets.token_urlsafe(32),
        key=key,
        key_file=key_file,
        launch_url=f"{addresses.app}/launch",
        trusted=True,
    )


def _samples(hospitals: tuple[str, ...], folder: Path) -> tuple[EhrClient, ...]:
    key, key_file = new_key(folder, "sample-backend")
    secret = secrets.token_urlsafe(32)
    return (
        EhrClient("sample-public", "public", "Sample public app", _SAMPLE_SCOPE, hospitals, SAMPLE_REDIRECTS),
        EhrClient(
            "sample-confidential", "confidential", "Sample app", _SAMPLE_SCOPE, hospitals, SAMPLE_REDIRECTS, secret
        ),
        EhrClient("sample-backend", "backend", "Sample service", "system/*.rs", hospitals, key=key, key_file=key_file),
    )


def new_key(folder: Path, name: str) -> tuple[ECKey, Path]:
    """A P-384 key for ES384 (SMART App Launch 2.2 §6.2), and the JWK file with its private half."""
    made = ECKey.generate_key("P-384", {"kid": f"{name}-1", "alg": "ES384", "use": "sig"}, private=True)
    return made, write_secret(folder / f"{name}.jwk.json", json.dumps(made.as_dict(private=True)))


def write_secret(path: Path, content: str) -> Path:
    """Writes a file that only its owner can read, from the first byte on; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(content)
    return path
