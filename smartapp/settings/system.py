"""What must hold for us as a backend service of a hospital: its tokens reach every patient there."""

import re
from typing import Final

from smartapp.errors import ConfigurationError
from smartapp.settings.model import Provider

_READS: Final = re.compile(r"system/(?:[A-Z][A-Za-z]+|\*)\.(?:rs?|s|read)(?:\?[!-~]+)?")
_CONSENT: Final = re.compile(r"system/Consent\.(?:(?=[cruds])c?r?u?d?s?|read|write|\*)")
_WRITES_CONSENT: Final = re.compile(r"system/Consent\.(?:crud?s|\*)")
_READS_CONSENT: Final = re.compile(r"system/(?:Consent|\*)\.(?:c?ru?d?s|read|\*)")
_READS_PATIENT: Final = re.compile(r"system/(?:Patient|\*)\.(?:rs?|read)")


def check_system(provider: Provider, where: str, _sandbox: bool) -> None:  # noqa: FBT001 -- one shape for all checks
    """Raises ConfigurationError for half a backend service, and for one that may more than it needs."""
    if not provider.system_client_id:
        for name in ("system_private_key_file", "system_scopes"):
            if getattr(provider, name):
                raise ConfigurationError(
                    f"{where} {name} is of no use without system_client_id: add it, or remove this."
                )
        return
    if provider.private_key_file is None and provider.system_private_key_file is None:
        raise ConfigurationError(
            f"{where} system_client_id needs a key to sign with: add system_private_key_file (a backend service has no "
            "password; RFC 7523)."
        )
    if not provider.jurisdiction:
        raise ConfigurationError(
            f"{where} system_client_id reads what the EHR may still hold back from patients: name in jurisdiction the "
            "release rules that hold for it."
        )
    _check_scopes(provider, where)


def _check_scopes(provider: Provider, where: str) -> None:
    scopes = provider.system_scopes
    for scope in scopes:
        if not (_READS.fullmatch(scope) or _CONSENT.fullmatch(scope)):
            raise ConfigurationError(
                f"{where} system_scopes {scope} is not one that reads (as system/ImagingStudy.rs), nor of Consent: "
                "remove it."
            )
    if not any(_READS_PATIENT.fullmatch(scope) for scope in scopes):
        raise ConfigurationError(
            f"{where} system_scopes lacks system/Patient.r: without it we cannot tell whose data it is."
        )
    if provider.consent == "read" and not any(_READS_CONSENT.fullmatch(scope) for scope in scopes):
        raise ConfigurationError(
            f'{where} consent = "read" needs the scope system/Consent.rs: add it to system_scopes.'
        )
    if provider.consent == "write" and not any(_WRITES_CONSENT.fullmatch(scope) for scope in scopes):
        raise ConfigurationError(
            f'{where} consent = "write" needs the scope system/Consent.crus: add it to system_scopes.'
        )
