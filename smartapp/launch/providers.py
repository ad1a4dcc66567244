"""Which hospital a launch comes from: an exact match, before anything is fetched."""

from smartapp.launch.refusals import refuse
from smartapp.settings import Provider, Settings


def by_iss(settings: Settings, iss: str) -> Provider:
    """The provider whose `iss` or alias is exactly this string (SMART App Launch 2.2, EHR launch: `iss`).

    Raises Refusal (`smart.iss.unknown`). No normalisation: a spelling that is not listed is another server.
    """
    for provider in settings.providers:
        if iss == provider.iss or iss in provider.iss_aliases:
            return provider
    return refuse("smart.iss.unknown")


def by_id(settings: Settings, provider_id: str) -> Provider:
    """The provider chosen on our start page. Raises Refusal (`smart.iss.unknown`)."""
    try:
        return settings.provider(provider_id)
    except KeyError:
        return refuse("smart.iss.unknown", "provider")
