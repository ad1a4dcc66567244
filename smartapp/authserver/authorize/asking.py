"""An authorization request while it is being checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from smartapp.consent.scopes.model import Scopes
from smartapp.identity.apps.model import App


@dataclass
class Asking:
    """`given` is what was sent, each name once, without what has no value (RFC 6749 §3.1). The checks fill in the rest.

    `launch` and `fhir_context` are what our own launch value stood for.
    """

    provider: str
    given: Mapping[str, str]
    reference: str
    client: App | None = None
    redirect_uri: str = ""
    state: str = field(default="", repr=False)
    scopes: Scopes = field(default_factory=Scopes)
    launch: str = field(default="", repr=False)
    fhir_context: tuple[str, ...] = ()

    @property
    def app(self) -> App:
        """The client, once its check has passed."""
        if self.client is None:
            raise RuntimeError("the client was not checked yet")
        return self.client

    def get(self, name: str) -> str:
        """A parameter, or an empty string."""
        return self.given.get(name, "")
