"""Reads `smartapp.toml`, what the environment overrides in it, and the providers' file that it names."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_type_hints

from smartapp.errors import ConfigurationError
from smartapp.settings.addresses import check_database_url, check_networks, check_origin
from smartapp.settings.jurisdictions import check_jurisdictions, read_jurisdictions
from smartapp.settings.mail import check_mail, check_staff_mail
from smartapp.settings.model import (
    Apps,
    Database,
    Keys,
    Mail,
    Ohif,
    Provider,
    Rendering,
    Server,
    Sessions,
    Settings,
    Storage,
    Upstreams,
    Worklist,
)
from smartapp.settings.providers import check_providers
from smartapp.settings.values import build, from_text


@dataclass(frozen=True)
class ProvidersFile:
    """Where the hospitals are described."""

    file: Path


@dataclass(frozen=True)
class JurisdictionsFile:
    """Where the release rules are described."""

    file: Path


@dataclass(frozen=True)
class Environment:
    """`sandbox` allows plain http on this machine, and nothing else that production does not."""

    name: Literal["sandbox", "production"] = "production"


SECTIONS: Final[Mapping[str, type]] = {
    "server": Server,
    "database": Database,
    "storage": Storage,
    "keys": Keys,
    "providers": ProvidersFile,
    "jurisdictions": JurisdictionsFile,
    "environment": Environment,
    "sessions": Sessions,
    "upstreams": Upstreams,
    "rendering": Rendering,
    "mail": Mail,
    "apps": Apps,
    "worklist": Worklist,
    "ohif": Ohif,
}
"""The tables of `smartapp.toml`."""

OPTIONAL: Final = frozenset({"ohif", "jurisdictions"})
"""Tables for parts that one may do without: None where the table is absent."""


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """The settings of the file at `path`; `SMARTAPP_SECTION_KEY` in `environ` goes before what the file says.

    Paths are relative to the file that names them (those of the environment to `path`). Raises ConfigurationError,
    whose sentence names the setting and says what to do.
    """
    document = _read(path)
    _override(document, environ)
    parts: dict[str, Any] = {
        name: build(kind, document.get(name, {}), f"[{name}]", path.parent)
        for name, kind in SECTIONS.items()
        if name in document or name not in OPTIONAL
    }
    for name in document:
        if name not in SECTIONS:
            raise ConfigurationError(f"[{name}] in {path} is no section: remove it, or correct its name.")
    environment: Environment = parts.pop("environment")
    providers: ProvidersFile = parts.pop("providers")
    rules: JurisdictionsFile | None = parts.pop("jurisdictions", None)
    settings = Settings(
        **parts,
        environment=environment.name,
        providers=_providers(providers.file),
        jurisdictions=read_jurisdictions(_read(rules.file), rules.file) if rules else (),
    )
    _check(settings)
    return settings


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}): name the file with --config.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is no TOML: {error}.") from None


def _override(document: dict[str, Any], environ: Mapping[str, str]) -> None:
    for variable, text in environ.items():
        section, _, key = variable.removeprefix("SMARTAPP_").lower().partition("_")
        if not variable.startswith("SMARTAPP_") or section not in SECTIONS:
            continue
        kinds = get_type_hints(SECTIONS[section])
        if key not in kinds:
            raise ConfigurationError(f"{variable} is no setting: unset it, or correct its name.")
        table = document.setdefault(section, {})
        if isinstance(table, dict):
            table[key] = from_text(kinds[key], text, variable)


def _providers(path: Path) -> tuple[Provider, ...]:
    document = _read(path)
    tables = document.pop("provider", [])
    if document or not isinstance(tables, list):
        raise ConfigurationError(f"{path} may hold [[provider]] tables only.")
    return tuple(
        build(Provider, table, f"{path.name}, provider {number}:", path.parent)
        for number, table in enumerate(tables, start=1)
    )


def _check(settings: Settings) -> None:
    sandbox = settings.environment == "sandbox"
    check_origin(settings.server.base_url, "[server] base_url", sandbox=sandbox)
    check_database_url(settings.database.url, "[database] url", sandbox=sandbox)
    if settings.server.port > 65535:
        raise ConfigurationError("[server] port must be at most 65535.")
    _check_ohif(settings, sandbox=sandbox)
    check_networks(settings.server.proxies, "[server] proxies")
    if settings.sessions.idle > settings.sessions.absolute:
        raise ConfigurationError("[sessions] idle must not be longer than absolute.")
    check_mail(settings.mail, sandbox=sandbox)
    check_providers(settings.providers, sandbox=sandbox)
    check_staff_mail(settings.providers, settings.mail)
    check_jurisdictions(settings.providers, settings.jurisdictions)


def _check_ohif(settings: Settings, *, sandbox: bool) -> None:
    """Its origin must be another than ours: a fault in the viewer must not reach what our cookie opens."""
    ohif = settings.ohif
    if ohif is None:
        return
    own = check_origin(settings.server.base_url, "[server] base_url", sandbox=sandbox)
    if check_origin(ohif.base_url, "[ohif] base_url", sandbox=sandbox) == own:
        raise ConfigurationError("[ohif] base_url must differ from [server] base_url: give the viewer its own name.")
    if ohif.port > 65535:
        raise ConfigurationError("[ohif] port must be at most 65535.")
