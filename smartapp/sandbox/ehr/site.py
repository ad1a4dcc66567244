"""One hospital, put together: its people, configuration, memory, keys and resources."""

import threading
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import abort, current_app

from smartapp.sandbox.ehr.config import Client, ConfigError, EhrConfig, HospitalConfig
from smartapp.sandbox.ehr.fhir.local import LocalStore
from smartapp.sandbox.ehr.fhir.query import Backend, Rest
from smartapp.sandbox.ehr.fhir.remote import RemoteStore
from smartapp.sandbox.ehr.jose import SigningKey
from smartapp.sandbox.ehr.resources.common import Setting
from smartapp.sandbox.ehr.resources.world import hospital_resources
from smartapp.sandbox.ehr.state import Shelf, State
from smartapp.sandbox.world import Hospital, User, World

EXTENSION = "smartapp-sandbox-sites"


@dataclass(frozen=True)
class Site:
    """A hospital as this process serves it. `base` is its issuer; the FHIR base lies below."""

    hospital: Hospital
    config: HospitalConfig
    base: str
    backend: Backend
    key: SigningKey
    state: State = field(default_factory=State)
    _pages: Shelf[Rest] = field(default_factory=Shelf)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def fhir_base(self) -> str:
        """The `iss` of SMART launches."""
        return f"{self.base}/fhir"

    @property
    def token_url(self) -> str:
        """Where codes, refresh tokens and assertions are exchanged."""
        return f"{self.base}/oauth/token"

    @property
    def zone(self) -> ZoneInfo:
        """The hospital's local time."""
        return ZoneInfo(self.hospital.timezone)

    def client(self, client_id: str | None) -> Client | None:
        """A registered app, or None."""
        return self.config.clients.get(client_id or "")

    def user(self, username: str) -> User | None:
        """Somebody who can sign in, or None."""
        return next((user for user in self.hospital.users if user.username == username), None)

    def add_page(self, value: str, rest: Rest, expires: datetime) -> None:
        """Remember how a search goes on, under an opaque value."""
        with self._lock:
            self._pages.put(value, rest, expires)

    def page(self, value: str) -> Rest | None:
        """How the search of an opaque value goes on; a page may be asked for again."""
        with self._lock:
            return self._pages.get(value)

    def patient_id(self, person: str) -> str:
        """The id under which the FHIR server knows a person of the sample world."""
        return self.backend.reference(f"Patient/{person}").rpartition("/")[2]


def setting_of(hospital: Hospital, config: HospitalConfig, base_url: str) -> Setting:
    """Where a hospital's resources are built for."""
    return Setting(hospital, f"{base_url}/{hospital.id}/fhir", config.dicomweb, config.imaging_study)


def build_sites(config: EhrConfig, world: World) -> dict[str, Site]:
    """Every configured hospital; ConfigError if the sample world has none of that name."""
    unknown = set(config.hospitals) - {hospital.id for hospital in world.hospitals}
    if unknown:
        raise ConfigError(f"the sample world has no hospital {', '.join(sorted(unknown))}")
    return {id_: _site(config, world.hospital(id_), entry) for id_, entry in config.hospitals.items()}


def _site(config: EhrConfig, hospital: Hospital, entry: HospitalConfig) -> Site:
    resources = hospital_resources(setting_of(hospital, entry, config.base_url))
    backend: Backend = (
        RemoteStore(entry.fhir_store, resources)
        if entry.fhir_store
        else LocalStore(resources, ZoneInfo(hospital.timezone))
    )
    return Site(hospital, entry, f"{config.base_url}/{hospital.id}", backend, SigningKey())


def site_of(hospital: str) -> Site:
    """The site that a request's path names; HTTP 404 if there is none."""
    sites: dict[str, Site] = current_app.extensions[EXTENSION]
    return sites.get(hospital) or abort(404)
