"""What each part is told: the configuration files of EHR, PACS and product, written into DATA."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smartapp.sandbox.addresses import Addresses
from smartapp.sandbox.app_clients import AppClient
from smartapp.sandbox.clients import APP_SCOPES, SYSTEM_SCOPES, EhrClient, write_secret
from smartapp.sandbox.ohif import find_ohif
from smartapp.sandbox.world import Hospital, Person, World

_PACS_USER = "smartapp"
_PACS_CLIENT = "pacs"
_JURISDICTION = "sandbox"
"""Its rules hold nothing back."""
_CACHE_BYTES = 2 * 2**30
_WIDE_LIMITS = {"requests_per_minute": 60_000, "failures_per_minute": 600, "registrations_per_hour": 1_000}
"""A developer's test suite fails, registers and reads all day long from one address, and means no harm by it."""


@dataclass(frozen=True)
class Credentials:
    """What the parts know each other by, drawn anew at each start."""

    pacs_user: str = _PACS_USER
    pacs_password: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    introspection_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)


def write_ehr(
    path: Path,
    addresses: Addresses,
    world: World,
    clients: Sequence[EhrClient],
    credentials: Credentials,
    fhir_store: str | None,
) -> Path:
    """The EHR's file. A FHIR store from outside answers for the first hospital: it holds one hospital's people."""
    asker = {
        "client_id": _PACS_CLIENT,
        "kind": "confidential",
        "name": "PACS",
        "client_secret": credentials.introspection_secret,
        "introspection": True,
    }
    hospitals = {
        hospital: {
            "dicomweb": addresses.dicomweb(hospital),
            "clients": [asker, *(client.registration() for client in clients if hospital in client.hospitals)],
            "imaging_study": world.hospital(hospital).imaging_study,
            "fhir_store": fhir_store if hospital == addresses.hospitals[0] else None,
        }
        for hospital in addresses.hospitals
    }
    return write_secret(path, json.dumps({"base_url": addresses.ehr, "hospitals": hospitals}, indent=1))


def write_embedded_pacs(path: Path, addresses: Addresses, world: World, credentials: Credentials, scans: Path) -> Path:
    """The embedded PACS's file."""
    hospitals = {
        hospital.id: {
            "folder": str(scans / hospital.id),
            "user": credentials.pacs_user,
            "password": credentials.pacs_password,
            "introspection": {
                "url": f"{addresses.ehr}/{hospital.id}/oauth/introspect",
                "client_id": _PACS_CLIENT,
                "client_secret": credentials.introspection_secret,
            },
            "patients": {person.id: _numbers(hospital, person) for person in hospital.people},
        }
        for hospital in world.hospitals
    }
    return write_secret(path, json.dumps({"hospitals": hospitals}, indent=1))


def _numbers(hospital: Hospital, person: Person) -> list[str]:
    """Every PatientID that is the person's, those of merged records included."""
    records = [person, *map(hospital.person, person.replaces)]
    return [value for record in records for _, value in record.identifiers]


def write_app(
    folder: Path,
    addresses: Addresses,
    world: World,
    clients: Sequence[EhrClient],
    credentials: Credentials,
    database: str | None,
) -> Path:
    """The product's `smartapp.toml` with all that it refers to; SQLite inside `folder` unless `database` is given."""
    folder.mkdir(parents=True, exist_ok=True)
    password = write_secret(folder / "pacs-password", credentials.pacs_password)
    providers = [_provider(folder, addresses, hospital, clients, password) for hospital in world.hospitals]
    (folder / "jurisdictions.toml").write_text(_table("[[jurisdiction]]", {"id": _JURISDICTION}))
    (folder / "providers.toml").write_text("\n".join(_table("[[provider]]", provider) for provider in providers))
    sections: dict[str, dict[str, Any]] = {
        "[server]": {
            "base_url": addresses.app, "host": "127.0.0.1", "port": addresses.ports.app, "workers": 2, "threads": 8,
        },
        "[database]": {"url": database or f"sqlite:///{folder.resolve() / 'smartapp.db'}"},
        "[storage]": {"cache_dir": "cache", "cache_max_bytes": _CACHE_BYTES, "checkpoint": "checkpoint"},
        "[keys]": {"dir": "keys"},
        "[providers]": {"file": "providers.toml"},
        "[jurisdictions]": {"file": "jurisdictions.toml"},
        "[environment]": {"name": "sandbox"},
        "[apps]": dict(_WIDE_LIMITS),
        "[mail]": {
            "smtp_host": "127.0.0.1", "smtp_port": addresses.ports.smtp, "security": "none",
            "sender": "alerts@example.org",
        },
        **_ohif(addresses),
    }  # fmt: skip
    settings = "\n".join(_table(header, values) for header, values in sections.items())
    return write_secret(folder / "smartapp.toml", settings)


def write_sample_app(path: Path, addresses: Addresses, client: AppClient) -> Path:
    """The sample app's file: the one server that it is registered with."""
    fhir = f"{addresses.app}/{addresses.hospitals[0]}/fhir"
    registration = {"fhir": fhir, "client_id": client.client_id, "client_secret": client.client_secret}
    return write_secret(path, json.dumps({"base": addresses.sample_app, "registrations": [registration]}))


def _ohif(addresses: Addresses) -> dict[str, dict[str, Any]]:
    folder = find_ohif()
    if folder is None:
        return {}
    return {"[ohif]": {"base_url": addresses.ohif, "dir": str(folder.resolve()), "port": addresses.ports.ohif}}


def _provider(
    folder: Path, addresses: Addresses, hospital: Hospital, clients: Sequence[EhrClient], password: Path
) -> dict[str, Any]:
    client = next(client for client in clients if hospital.id in client.hospitals)
    service = next((each for each in clients if each.client_id == f"{client.client_id}-service"), None)
    return {
        "id": hospital.id,
        "name": hospital.name,
        "iss": addresses.iss(hospital.id),
        "trusted_origins": [addresses.ehr, addresses.pacs_origin(hospital.id)],
        "client_id": client.client_id,
        **_client_auth(folder, client),
        "scopes": list(APP_SCOPES),
        **(_system(service) if service else {}),
        "consent": "write",
        "dicomweb": addresses.dicomweb(hospital.id),
        "dicomweb_auth": "basic",
        "dicomweb_user": _PACS_USER,
        "dicomweb_password_file": str(password),
        "mrn_systems": _mrn_systems(hospital),
        "issuer_of_patient_id": hospital.issuer_of_patient_id,
        "timezone": hospital.timezone,
        "brand": _brand(hospital),
    }


def _brand(hospital: Hospital) -> dict[str, Any]:
    """How people know it. Nobody's real data is behind the address: its status says so."""
    city, state = hospital.city
    return {
        "website": hospital.website,
        "categories": ["prov", "imaging"],
        "endpoint_status": "test",
        "address": [{"city": city, "state": state, "country": "US"}],
        "portal": [{"name": f"My imaging at {hospital.name}"}],
        "affiliate": [{"id": id_, "name": name, "website": website} for id_, name, website in hospital.clinics],
    }


def _client_auth(folder: Path, client: EhrClient) -> dict[str, str]:
    if client.key_file is not None:
        return {"client_auth": "private_key_jwt", "private_key_file": str(client.key_file)}
    secret = write_secret(folder / f"{client.client_id}-secret", client.secret or "")
    return {"client_auth": "client_secret_basic", "client_secret_file": str(secret)}


def _system(service: EhrClient) -> dict[str, Any]:
    return {
        "system_client_id": service.client_id,
        "system_private_key_file": str(service.key_file),
        "system_scopes": list(SYSTEM_SCOPES),
        "jurisdiction": _JURISDICTION,
    }


def _mrn_systems(hospital: Hospital) -> list[str]:
    """The current system first, then those of older numbers."""
    used = [system for person in hospital.people for system, _ in person.identifiers]
    return list(dict.fromkeys([hospital.mrn_system, *used]))


def _table(header: str, values: Mapping[str, Any]) -> str:
    return "\n".join([header, *(f"{name} = {_toml(value)}" for name, value in values.items())]) + "\n"


def _toml(value: Any) -> str:
    """Strings and numbers are written as in JSON; a table inside a table stands in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + "}"
    return f"[{', '.join(map(_toml, value))}]" if isinstance(value, list) else json.dumps(value)
