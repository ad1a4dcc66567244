"""Our public keys, as EHRs fetch them from `/.well-known/jwks.json` (RFC 7517 §5)."""

from collections.abc import Iterator

from smartapp.errors import ConfigurationError
from smartapp.launch.client_auth import SigningKey, load_signing_key, system_key_setting
from smartapp.settings import Provider, Settings


def public_jwks(settings: Settings) -> dict[str, list[dict[str, object]]]:
    """The JWK set with the public half of every signing key; private members are never in it.

    Raises ConfigurationError when two keys have one `kid`: an EHR could not tell which of them signed (SMART App Launch
    2.2, client-confidential-asymmetric).
    """
    keys: dict[str, dict[str, object]] = {}
    for provider in settings.providers:
        for setting, key in _signing(provider):
            if keys.setdefault(key.kid, key.public()) != key.public():
                raise ConfigurationError(f"Provider {provider.id}: {setting} has the kid of another key of ours.")
    return {"keys": list(keys.values())}


def signs(provider: Provider) -> bool:
    """Whether the provider's EHR needs our public keys at all."""
    return provider.client_auth == "private_key_jwt" or bool(provider.system_client_id)


def _signing(provider: Provider) -> Iterator[tuple[str, SigningKey]]:
    """The keys that we sign with there, each with the setting that names it."""
    if provider.client_auth == "private_key_jwt":
        yield "private_key_file", load_signing_key(provider)
    if provider.system_client_id:
        setting = system_key_setting(provider)
        yield setting, load_signing_key(provider, setting)
