"""Our public keys, as EHRs fetch them from `/.well-known/jwks.json` (RFC 7517 §5)."""

from smartapp.errors import ConfigurationError
from smartapp.launch.client_auth import load_signing_key
from smartapp.settings import Settings


def public_jwks(settings: Settings) -> dict[str, list[dict[str, object]]]:
    """The JWK set with the public half of every signing key; private members are never in it.

    Raises ConfigurationError when two keys have one `kid`: an EHR could not tell which of them signed (SMART App Launch
    2.2, client-confidential-asymmetric).
    """
    keys: dict[str, dict[str, object]] = {}
    for provider in settings.providers:
        if provider.client_auth != "private_key_jwt":
            continue
        key = load_signing_key(provider)
        if keys.setdefault(key.kid, key.public()) != key.public():
            raise ConfigurationError(f"Provider {provider.id}: private_key_file has the kid of another provider's key.")
    return {"keys": list(keys.values())}
