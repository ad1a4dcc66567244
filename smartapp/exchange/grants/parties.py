"""Who is named on receipts and Consents. Pure."""

from smartapp.consent.receipts import Parties
from smartapp.identity.apps.model import App
from smartapp.settings import Provider


def parties_of(provider: Provider, app: App | None, issuer: str) -> Parties:
    """The hospital, and the app as it calls itself; nameless where nobody knows it any more."""
    if app is None:
        return Parties(provider.name, provider.jurisdiction, issuer, "")
    said = app.metadata
    return Parties(
        provider.name,
        provider.jurisdiction,
        issuer,
        said.client_name,
        said.client_uri,
        said.policy_uri,
        said.contacts,
    )
