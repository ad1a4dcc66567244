"""What a new installation has to be told: asked for at a terminal, or read from a file."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from smartapp.errors import ConfigurationError
from smartapp.settings import ClientAuth, DicomwebAuth
from smartapp.settings.values import build

SCOPES: Final = (
    "launch", "launch/patient", "openid", "fhirUser", "offline_access",
    "patient/Patient.rs", "patient/ImagingStudy.rs", "patient/DiagnosticReport.rs",
)  # fmt: skip
SYSTEM_SCOPES: Final = (
    "system/Patient.rs", "system/ImagingStudy.rs", "system/DiagnosticReport.rs", "system/Observation.rs",
    "system/Binary.rs", "system/Practitioner.rs", "system/Organization.rs",
)  # fmt: skip


@dataclass(frozen=True)
class Hospital:
    """One hospital, in the words of `config/providers.toml`. Secrets are in files; a signing key is made."""

    id: str
    name: str
    iss: str
    client_id: str
    dicomweb: str
    mrn_systems: tuple[str, ...]
    timezone: str
    client_auth: ClientAuth = "private_key_jwt"
    client_secret_file: Path | None = None
    scopes: tuple[str, ...] = SCOPES
    dicomweb_auth: DicomwebAuth = "none"
    dicomweb_user: str = ""
    dicomweb_password_file: Path | None = None
    dicomweb_token_file: Path | None = None
    trusted_origins: tuple[str, ...] = ()
    """Empty: those of `iss` and `dicomweb`, and no others."""
    issuer_of_patient_id: str = ""
    ca_file: Path | None = None
    website: str = ""
    """By it people's apps tell this hospital from others; empty: they are told nothing of it."""
    system_client_id: str = ""
    """Us there as a backend service, which signs with the same key; empty: we are none."""
    system_scopes: tuple[str, ...] = ()
    """Empty, with `system_client_id`: `SYSTEM_SCOPES`."""
    jurisdiction: str = ""
    """Whose release rules hold there: the file that `Site.jurisdictions` names describes them."""


@dataclass(frozen=True)
class Site:
    """What is not a hospital's. An empty `database` is SQLite in `data`, which is relative to the folder made."""

    base_url: str
    database: str = ""
    data: str = "data"
    port: int = 8000
    environment: Literal["production", "sandbox"] = "production"
    jurisdictions: Path | None = None
    """Describes release rules, as `config/jurisdictions.toml` does; needed by whoever names a `jurisdiction`."""


@dataclass(frozen=True)
class Answers:
    """Everything that is asked."""

    site: Site
    hospitals: tuple[Hospital, ...]


def read(path: Path) -> Answers:
    """The answers in a TOML file: the keys of `Site`, and a [[hospital]] for each. Raises ConfigurationError."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise ConfigurationError(f"{path} cannot be read as TOML: name a file of answers.") from None
    tables = document.pop("hospital", [])
    if not isinstance(tables, list) or not tables:
        raise ConfigurationError(f"{path} names no hospital: add a [[hospital]].")
    site = build(Site, document, f"{path.name}:", path.parent.resolve())
    hospitals = (
        build(Hospital, table, f"{path.name}, hospital {number}:", path.parent.resolve())
        for number, table in enumerate(tables, 1)
    )
    return Answers(site, tuple(hospitals))
