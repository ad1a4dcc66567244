"""What a launch knows at each of its steps. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from smartapp.identity.model import PrincipalKind

Mode = Literal["ehr", "standalone"]


@dataclass(frozen=True)
class Metadata:
    """What we use of the EHR's smart-configuration (SMART App Launch 2.2, conformance), after its checks."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    revocation_endpoint: str | None
    says_iss: bool
    """`authorization_response_iss_parameter_supported` (RFC 9207 §3)."""


@dataclass(frozen=True)
class PendingFlow:
    """A launch between our redirect and the EHR's: kept sealed under its `state`, bound to a browser.

    `iss` is the FHIR base as the EHR named it; `browser` the keyed hash of the browser's flow secret; `metadata` what
    discovery said when the flow began, so that the callback cannot be answered by another server than was asked.
    """

    provider: str
    mode: Mode
    iss: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    browser: str = field(repr=False)
    asked: tuple[str, ...]
    metadata: Metadata
    after: str = field(default="", repr=False)
    """What waits for the sign-in: a handle of ours, never an address. Empty: nothing."""


@dataclass(frozen=True)
class BegunLaunch:
    """Where to send the browser, and the secret that it must bring back in the flow cookie (ten minutes)."""

    authorize_url: str = field(repr=False)
    browser_secret: str = field(repr=False)


@dataclass(frozen=True)
class TokenAnswer:
    """A checked token answer (RFC 6749 §5.1, SMART App Launch 2.2). `expires_in` is in seconds; tokens never shown."""

    access_token: str
    expires_in: int
    scopes: tuple[str, ...]
    refresh_token: str | None
    id_token: str | None
    patient: str | None
    need_patient_banner: bool
    imaging_studies: tuple[str, ...]

    def __repr__(self) -> str:
        return "TokenAnswer(…)"


@dataclass(frozen=True)
class SystemAnswer:
    """A checked token answer to us as a backend service. `expires_in` is in seconds; the token is never shown."""

    access_token: str = field(repr=False)
    expires_in: int
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class IdClaims:
    """The claims of a checked id_token that we use (OpenID Connect Core §2)."""

    issuer: str
    sub: str
    fhir_user: str | None
    auth_time: datetime | None


@dataclass(frozen=True)
class FhirUser:
    """Who signed in, as a relative reference (`Patient/123`), and what that makes them to the record."""

    reference: str
    relation: PrincipalKind


@dataclass(frozen=True)
class CompletedLaunch:
    """A launch that holds together: who (`iss` of the id_token, `sub`, `fhir_user`), whose record, with which
    credential, and which scopes are in effect. `imaging_studies` are `ImagingStudy/id` of the launch's context.
    """

    provider: str
    iss: str
    sub: str
    fhir_user: str
    patient_id: str
    credential_id: str
    scopes: tuple[str, ...]
    auth_time: datetime | None
    relation: PrincipalKind
    need_patient_banner: bool
    imaging_studies: tuple[str, ...] = ()
    after: str = field(default="", repr=False)
    """What waited for the sign-in, as it was said when the flow began."""
