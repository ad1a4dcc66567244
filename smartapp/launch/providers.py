"""Which hospital a launch comes from: an exact match, before anything is fetched."""

from urllib.parse import urlsplit

from smartapp.launch.refusals import refuse
from smartapp.outbound.public_addresses import spells_inside
from smartapp.settings import Provider, Settings


def by_iss(settings: Settings, iss: str) -> Provider:
    """The provider whose `iss` or alias is exactly this string (SMART App Launch 2.2, EHR launch: `iss`).

    Raises Refusal: `smart.iss.unknown`, or `ssrf.blocked` for one that leads to ourselves or our neighbours. No
    normalisation: a spelling that is not listed is another server.
    """
    for provider in settings.providers:
        if iss == provider.iss or iss in provider.iss_aliases:
            return provider
    return refuse("smart.iss.unknown" if _is_near(settings, iss) or not spells_inside(iss) else "ssrf.blocked")


def by_id(settings: Settings, provider_id: str) -> Provider:
    """The provider chosen on our start page. Raises Refusal (`smart.iss.unknown`)."""
    try:
        return settings.provider(provider_id)
    except KeyError:
        return refuse("smart.iss.unknown", "provider")


def _is_near(settings: Settings, iss: str) -> bool:
    """Whether it names a configured hospital's own host, which may be inside: rather a slip than an attack."""
    return iss.isprintable() and any(iss.startswith(f"{_origin(provider.iss)}/") for provider in settings.providers)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
