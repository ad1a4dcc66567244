"""Which origins a hospital's own systems name: what an operator has to look at and pin."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from smartapp.bootstrap.setup.answers import Hospital
from smartapp.clock import SystemClock
from smartapp.errors import ConfigurationError, SmartappError
from smartapp.launch.strict_json import json_object
from smartapp.outbound.service import Outbound
from smartapp.settings import Upstreams

_PATHS: Final = ("/.well-known/smart-configuration", "/.well-known/openid-configuration")
_NAMES: Final = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint")
_BYTES: Final = 256 * 1024


def needed(hospital: Hospital) -> tuple[str, ...]:
    """The origins of `iss` and `dicomweb`: what was typed is meant."""
    return tuple(dict.fromkeys((origin_of(hospital.iss), origin_of(hospital.dicomweb))))


def named_by(hospital: Hospital) -> tuple[str, ...]:
    """The other origins that the EHR's discovery names, sorted; empty when it does not answer.

    What it names is only shown: whoever answers in its place could name anything. Nothing is asked of those origins.
    """
    origin = origin_of(hospital.iss)
    door = Outbound(Upstreams(), SystemClock()).for_origins("init", (origin,), ca_file=hospital.ca_file)
    found: set[str] = set()
    for path in _PATHS:
        try:
            answer = door.request("GET", hospital.iss.rstrip("/") + path, max_bytes=_BYTES)
            said = json_object(answer.body) if answer.status == 200 else {}
        except (SmartappError, ValueError):
            continue
        found |= set(_origins(said.get(name) for name in _NAMES))
    return tuple(sorted(found - {*needed(hospital), *hospital.trusted_origins}))


def origin_of(url: str) -> str:
    """`https://host[:port]` of an address. Raises ConfigurationError for what is none."""
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ConfigurationError(f"{url} is no address: write it with https:// in front.")
    return f"{parts.scheme}://{parts.netloc}"


def _origins(values: Iterable[object]) -> Iterable[str]:
    for value in values:
        if isinstance(value, str) and value.startswith(("https://", "http://")) and value.isprintable():
            parts = urlsplit(value)
            if parts.hostname:
                yield f"{parts.scheme}://{parts.netloc}"
