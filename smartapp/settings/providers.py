"""What must hold for a provider, one check for each thing that can be wrong with it."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from smartapp.errors import ConfigurationError
from smartapp.settings.addresses import check_origin, check_url
from smartapp.settings.brand_checks import check_brand
from smartapp.settings.model import Provider
from smartapp.settings.system import check_system

_RESERVED: Final = frozenset({"my", "static", "ohif"})
"""First parts of our own addresses: a provider's begin with its id."""
_WRITES_CONSENT: Final = re.compile(r"(?:patient|user)/(?:Consent|\*)\.(?:cr?ud?s|write|\*)(?:\?.*)?")
"""A scope that finds, makes and changes Consents (SMART App Launch 2.2 §3.0.2), v1 has its own spellings."""
_READS_CONSENT: Final = re.compile(r"(?:patient|user)/(?:Consent|\*)\.(?:c?r?u?d?s|read|\*)")
"""A scope that finds them. One with a filter might leave out what forbids."""
_PLACEHOLDERS: Final = frozenset({"", "…", "...", "changeme", "change-me", "placeholder", "secret", "password", "todo"})
_LONGEST_SECRET: Final = 16384
_SECRETS: Final = (
    "private_key_file",
    "client_secret_file",
    "system_private_key_file",
    "dicomweb_password_file",
    "dicomweb_token_file",
)


def check_providers(providers: Sequence[Provider], *, sandbox: bool) -> None:
    """Raises ConfigurationError for the first thing that cannot be, with a sentence that says what to do."""
    if not providers:
        raise ConfigurationError("[providers] file lists no hospital: add a [[provider]].")
    for provider in providers:
        for check in _CHECKS:
            check(provider, f"provider {provider.id}:", sandbox)
    _check_unique("id", [provider.id for provider in providers])
    _check_unique("iss", [iss for provider in providers for iss in (provider.iss, *provider.iss_aliases)])


def _check_unique(name: str, values: Sequence[str]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ConfigurationError(f"Two providers have the {name} {value}: each needs one of its own.")


def _check_names(provider: Provider, where: str, _sandbox: bool) -> None:  # noqa: FBT001 -- one shape for all checks
    if not re.fullmatch(r"[a-z0-9-]{1,64}", provider.id) or provider.id in _RESERVED:
        raise ConfigurationError(
            f"{where} id must be of a-z, 0-9 and -, at most 64, and none of {', '.join(sorted(_RESERVED))}."
        )
    for name, client_id in (("client_id", provider.client_id), ("system_client_id", provider.system_client_id or "-")):
        if client_id.lower() in _PLACEHOLDERS:
            raise ConfigurationError(f"{where} {name} is a placeholder: write the one that the EHR gave you.")
    if not provider.mrn_systems:
        raise ConfigurationError(f"{where} mrn_systems is empty: name the system of the patients' record numbers.")
    try:
        ZoneInfo(provider.timezone)
    except (KeyError, OSError, ValueError):
        raise ConfigurationError(f"{where} timezone is none: write one as America/Chicago.") from None


def _check_addresses(provider: Provider, where: str, sandbox: bool) -> None:  # noqa: FBT001 -- as above
    trusted = {check_origin(url, f"{where} trusted_origins {url}", sandbox=sandbox) for url in provider.trusted_origins}
    for name, url in (("iss", provider.iss), ("dicomweb", provider.dicomweb)):
        if check_url(url, f"{where} {name}", sandbox=sandbox) not in trusted:
            raise ConfigurationError(f"{where} {name} is not in trusted_origins: add its origin there, or correct it.")
    for alias in provider.iss_aliases:
        check_url(alias, f"{where} iss_aliases {alias}", sandbox=sandbox)


def _check_scopes(provider: Provider, where: str, _sandbox: bool) -> None:  # noqa: FBT001 -- as above
    if any(re.search(r"[^\x21\x23-\x5b\x5d-\x7e]", scope) for scope in provider.scopes):
        raise ConfigurationError(f"{where} scopes must be a list with one scope in each text (RFC 6749 §3.3).")
    for needed in ("openid", "fhirUser"):
        if needed not in provider.scopes:
            raise ConfigurationError(f"{where} scopes lacks {needed}: without it we do not learn who signed in.")
    if provider.consent == "write" and not any(_WRITES_CONSENT.fullmatch(scope) for scope in provider.scopes):
        raise ConfigurationError(f'{where} consent = "write" needs the scope patient/Consent.crus: add it to scopes.')
    if provider.consent != "none" and not any(_READS_CONSENT.fullmatch(scope) for scope in provider.scopes):
        raise ConfigurationError(
            f'{where} consent = "{provider.consent}" needs the scope patient/Consent.rs: add it to scopes.'
        )


def _check_client(provider: Provider, where: str, _sandbox: bool) -> None:  # noqa: FBT001 -- as above
    files = {
        "private_key_jwt": {"private_key_file"},
        "client_secret_basic": {"client_secret_file"},
        "client_secret_post": {"client_secret_file"},
        "none": set[str](),
    }
    names = ("private_key_file", "client_secret_file")
    _check_given(provider, where, f'client_auth = "{provider.client_auth}"', names, files[provider.client_auth])


def _check_pacs(provider: Provider, where: str, _sandbox: bool) -> None:  # noqa: FBT001 -- as above
    needed = {
        "basic": {"dicomweb_user", "dicomweb_password_file"},
        "bearer": {"dicomweb_token_file"},
        "ehr-token": set[str](),
        "none": set[str](),
    }
    names = ("dicomweb_user", "dicomweb_password_file", "dicomweb_token_file")
    _check_given(provider, where, f'dicomweb_auth = "{provider.dicomweb_auth}"', names, needed[provider.dicomweb_auth])


def _check_given(provider: Provider, where: str, choice: str, names: tuple[str, ...], needed: set[str]) -> None:
    """Exactly the settings that the choice uses: one too many means that somebody meant another choice."""
    for name in names:
        if name in needed and not getattr(provider, name):
            raise ConfigurationError(f"{where} {choice} needs {name}: add it.")
        if name not in needed and getattr(provider, name):
            raise ConfigurationError(f"{where} {choice} does not use {name}: remove it, or choose another.")


def _check_files(provider: Provider, where: str, _sandbox: bool) -> None:  # noqa: FBT001 -- as above
    for name in _SECRETS:
        path = getattr(provider, name)
        if path is not None:
            check_secret(path, f"{where} {name} {path}")
    if provider.ca_file is not None and not provider.ca_file.is_file():
        raise ConfigurationError(f"{where} ca_file {provider.ca_file} is not there: put the CA's certificate there.")


def _check_brand(provider: Provider, where: str, sandbox: bool) -> None:  # noqa: FBT001 -- as above
    if provider.brand is not None:
        check_brand(provider.id, provider.brand, where, sandbox=sandbox)


def check_secret(path: Path, where: str) -> None:
    """Raises ConfigurationError unless the file holds a secret that not everybody on this machine can read."""
    try:
        with path.open("rb") as file:
            mode = path.stat().st_mode
            text = file.read(_LONGEST_SECRET).decode().strip()
    except (OSError, ValueError):
        raise ConfigurationError(f"{where} cannot be read: put the secret there, as text, with mode 0600.") from None
    if mode & 0o007:
        raise ConfigurationError(
            f"{where} can be read by everybody: run chmod 600 on it, and have the secret replaced."
        )
    if text.lower() in _PLACEHOLDERS:
        raise ConfigurationError(f"{where} holds a placeholder: put the secret there that you were given.")


_CHECKS: Final[tuple[Callable[[Provider, str, bool], None], ...]] = (
    _check_names,
    _check_addresses,
    _check_scopes,
    _check_client,
    check_system,
    _check_pacs,
    _check_files,
    _check_brand,
)
