"""The settings: typed, frozen. The keys are described in `config/smartapp.toml` and `config/providers.toml`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from smartapp.settings.brands import Brand

ClientAuth = Literal["private_key_jwt", "client_secret_basic", "client_secret_post", "none"]
DicomwebAuth = Literal["none", "basic", "bearer", "ehr-token"]


@dataclass(frozen=True)
class Server:
    """Where we are reached: `base_url` is what people see; `host`, `port` what gunicorn listens on.

    `proxies` are the addresses or networks whose word for the scheme (X-Forwarded-Proto) is taken.
    """

    base_url: str
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    threads: int = 8
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")


@dataclass(frozen=True)
class Database:
    """`url` is a SQLAlchemy URL (sqlite or postgresql+psycopg); `lock_timeout` in seconds."""

    url: str
    lock_timeout: float = 4.0


@dataclass(frozen=True)
class Storage:
    """Encrypted cache of checked DICOM instances; sizes in bytes, `cache_max_age` in seconds.

    `checkpoint`: a file that says how far the database had come, so that one of before is noticed; None: it is not.
    """

    cache_dir: Path
    cache_max_bytes: int = 10 * 2**30
    cache_max_age: int = 7 * 86400
    checkpoint: Path | None = None


@dataclass(frozen=True)
class Keys:
    """The folder of key files (mode 0600, outside the database)."""

    dir: Path


@dataclass(frozen=True)
class Sessions:
    """Limits of a browser session, in seconds."""

    idle: int = 15 * 60
    absolute: int = 8 * 3600


@dataclass(frozen=True)
class Upstreams:
    """Patience with EHR and PACS, in seconds; sizes in bytes; `index_max_age`: how old a study index may be."""

    connect_timeout: float = 3.0
    read_timeout: float = 10.0
    total_timeout: float = 30.0
    max_json_bytes: int = 32 * 2**20
    max_pages: int = 50
    index_max_age: int = 120


@dataclass(frozen=True)
class Ohif:
    """The viewer that measures, at an origin of its own: `base_url` is what people see, `dir` holds OHIF's index.html.

    `smartapp ohif` listens on `port`, at the same `host` as the rest.
    """

    base_url: str
    dir: Path
    port: int = 8001


@dataclass(frozen=True)
class Rendering:
    """Limits of the child processes that decode pixels: memory in bytes, time in seconds."""

    processes: int = 2
    memory: int = 1536 * 2**20
    seconds: int = 20


@dataclass(frozen=True)
class Mail:
    """The mail server that alerts leave by; without `smtp_host` there is no mail, and pages say so.

    `starttls` needs RFC 3207 of the server, `tls` speaks TLS from the first byte (RFC 8314 §3.3), `none` is for a
    server on this machine, in the sandbox.
    """

    smtp_host: str = ""
    smtp_port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: str = ""
    user: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None


@dataclass(frozen=True)
class Apps:
    """Third-party apps. Lifetimes in seconds, `dormant_after` and `review_within` in days.

    `registration`: `open` to every developer, or `token` for those who hold the token in `registration_token_file`.
    """

    registration: Literal["open", "token"] = "open"
    registration_token_file: Path | None = None
    review_within: int = 5
    access_lifetime: int = 3600
    refresh_lifetime: int = 365 * 86400
    dormant_after: int = 90
    requests_per_minute: int = 6000
    bytes_per_hour: int = 64 * 2**30
    failures_per_minute: int = 30
    registrations_per_hour: int = 60


@dataclass(frozen=True)
class Worklist:
    """What staff has to put right. `settled_kept`: days that a settled item is kept after it was found last."""

    settled_kept: int = 365


@dataclass(frozen=True)
class Delay:
    """Reports of these categories, of studies with these modalities (empty: any), wait so many hours."""

    hours: int
    categories: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()


@dataclass(frozen=True)
class Jurisdiction:
    """Release rules (`config/jurisdictions.toml`). `blocks` are labels of resources, as `system|code`."""

    id: str
    preliminary: Literal["shown", "held"] = "shown"
    blocks: tuple[str, ...] = ()
    delay: tuple[Delay, ...] = ()


@dataclass(frozen=True)
class Provider:
    """One hospital: an EHR (a SMART `iss`) and the PACS behind it (`config/providers.toml`). Secrets are in files."""

    id: str
    name: str
    iss: str
    trusted_origins: tuple[str, ...]
    client_id: str
    client_auth: ClientAuth
    scopes: tuple[str, ...]
    dicomweb: str
    mrn_systems: tuple[str, ...]
    timezone: str
    iss_aliases: tuple[str, ...] = ()
    private_key_file: Path | None = None
    client_secret_file: Path | None = None
    consent: Literal["none", "read", "write"] = "none"
    dicomweb_auth: DicomwebAuth = "none"
    dicomweb_user: str = ""
    dicomweb_password_file: Path | None = None
    dicomweb_token_file: Path | None = None
    issuer_of_patient_id: str = ""
    ca_file: Path | None = None
    jurisdiction: str = ""
    """Whose release rules hold here (`config/jurisdictions.toml`); empty: every report is shown at once."""
    age_of_majority: int = 18
    """The age, in years, at which a parent's right to act ends at this hospital: state law differs."""
    staff_mail: str = ""
    """Where the hospital's records office is told that something waits on the worklist; empty: it looks by itself."""
    brand: Brand | None = None
    """How people know the hospital; without it apps are told nothing of that."""
    system_client_id: str = ""
    """Us as a backend service there (SMART App Launch 2.2): for what patients allow for longer than they are signed in,
    where the EHR gives them no refresh token. Empty: such permissions end with the session.
    """
    system_private_key_file: Path | None = None
    """Its key; without one it signs with `private_key_file`."""
    system_scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """Everything that `create_app` needs to know. `environment` is `sandbox` or `production`."""

    server: Server
    database: Database
    storage: Storage
    keys: Keys
    providers: tuple[Provider, ...]
    environment: Literal["sandbox", "production"] = "production"
    jurisdictions: tuple[Jurisdiction, ...] = ()
    sessions: Sessions = field(default_factory=Sessions)
    upstreams: Upstreams = field(default_factory=Upstreams)
    rendering: Rendering = field(default_factory=Rendering)
    mail: Mail = field(default_factory=Mail)
    apps: Apps = field(default_factory=Apps)
    worklist: Worklist = field(default_factory=Worklist)
    ohif: Ohif | None = None

    def rules(self, provider_id: str) -> Jurisdiction | None:
        """The release rules that hold at a provider; None where all is shown."""
        wanted = self.provider(provider_id).jurisdiction
        return next((each for each in self.jurisdictions if each.id == wanted), None)

    def provider(self, provider_id: str) -> Provider:
        """The provider with this id; KeyError if there is none."""
        for provider in self.providers:
            if provider.id == provider_id:
                return provider
        raise KeyError(provider_id)
