"""Our public keys, as EHRs fetch them from `/.well-known/jwks.json` (RFC 7517 §5)."""

from smartapp.launch.client_auth import load_signing_key
from smartapp.settings import Settings


def public_jwks(settings: Settings) -> dict[str, list[dict[str, object]]]:
    """The JWK set with the public half of every signing key; private members are never in it."""
    signers = (provider for provider in settings.providers if provider.client_auth == "private_key_jwt")
    keys = {key.kid: key.public() for key in map(load_signing_key, signers)}
    return {"keys": list(keys.values())}
