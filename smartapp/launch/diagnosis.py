"""What `doctor` asks of an EHR: no person's data, only what it says to everybody."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from smartapp.errors import SmartappError
from smartapp.launch.discovery import MAX_BYTES, OPENID_PATH, PATH, fetch_json
from smartapp.launch.ehr_keys import EhrKeys
from smartapp.launch.ehrs import Ehr, Ehrs
from smartapp.launch.refusals import Refusal


def probe_ehr(ehrs: Ehrs, keys: EhrKeys, provider_id: str) -> str:
    """Reads discovery and the key set as a launch would; what was found, in a sentence.

    Raises Refusal for what a launch would refuse, Upstream errors when the EHR does not answer.
    """
    ehr = ehrs.of(provider_id)
    metadata = ehrs.metadata(ehr, ehr.provider.iss)
    count = keys.count(ehr.door, metadata.jwks_uri)
    return f"discovery can be trusted, {count} signing key(s), tokens from {_origin(metadata.token_endpoint)}"


def advice(ehrs: Ehrs, provider_id: str, error: SmartappError) -> str:
    """What an operator should do about a failed probe: which origins to pin, or what was wrong."""
    if not isinstance(error, Refusal):
        return f"does not answer ({error.code})"
    if missing := _unpinned(ehrs.of(provider_id)):
        return f"add to trusted_origins, if they are the hospital's: {', '.join(missing)}"
    return f"a launch would be refused: {error.detail or error.code}"


def _unpinned(ehr: Ehr) -> list[str]:
    """The origins that discovery names and the configuration does not."""
    pinned = set(ehr.provider.trusted_origins)
    said = _said(ehr, ehr.provider.iss.rstrip("/") + PATH)
    issuer = said.get("issuer")
    if isinstance(issuer, str) and _origin(issuer) in pinned:
        said["jwks_uri"] = _said(ehr, issuer.rstrip("/") + OPENID_PATH).get("jwks_uri")
    return sorted(_origins(said) - pinned)


def _said(ehr: Ehr, url: str) -> dict[str, object]:
    try:
        return fetch_json(lambda address: ehr.door.request("GET", address, max_bytes=MAX_BYTES), url, "doctor")
    except SmartappError:
        return {}


def _origins(said: Mapping[str, object]) -> set[str]:
    names = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint")
    return {_origin(value) for name in names if isinstance(value := said.get(name), str) and "://" in value}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
