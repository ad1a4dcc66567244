"""What we show the PACS: nothing, a password or token of our own from a file, or the EHR's token."""

from base64 import b64encode
from pathlib import Path

from smartapp.consent.model import AnyPermit
from smartapp.errors import ConfigurationError, UpstreamError, UpstreamRefused
from smartapp.settings import Provider
from smartapp.tokens.model import TokenSource


class Credentials:
    """Makes the Authorization header of a provider's PACS. Files are read at each use, so that they can be replaced."""

    def __init__(self, provider: Provider, tokens: TokenSource) -> None:
        self._provider = provider
        self._tokens = tokens
        own_headers(provider)  # a missing file stops the start

    def headers(self, permit: AnyPermit) -> dict[str, str]:
        """The header for a request under `permit`. UpstreamRefused when the person's EHR token is gone."""
        if self._provider.dicomweb_auth == "ehr-token":
            return {"Authorization": f"Bearer {self._tokens.bearer(permit)}"}
        return own_headers(self._provider)

    def rejected(self, permit: AnyPermit, headers: dict[str, str]) -> None:
        """The PACS answered 401. With the EHR's token another try may help; with our own it is a fault of ours."""
        if self._provider.dicomweb_auth != "ehr-token":
            raise UpstreamError("pacs-credential")
        self._tokens.rejected(permit, headers["Authorization"].removeprefix("Bearer "))

    def refused(self) -> UpstreamError:
        """The error to raise after the last try."""
        if self._provider.dicomweb_auth == "ehr-token":
            return UpstreamRefused("pacs-credential")
        return UpstreamError("pacs-credential")


def own_headers(provider: Provider) -> dict[str, str]:
    """The header that needs no person: ours at this PACS, or none. Raises ConfigurationError for a missing secret."""
    if provider.dicomweb_auth == "basic":
        password = _secret(provider.dicomweb_password_file, provider.id)
        pair = b64encode(f"{provider.dicomweb_user}:{password}".encode()).decode("ascii")
        return {"Authorization": f"Basic {pair}"}
    if provider.dicomweb_auth == "bearer":
        return {"Authorization": f"Bearer {_secret(provider.dicomweb_token_file, provider.id)}"}
    return {}


def _secret(path: Path | None, provider_id: str) -> str:
    try:
        secret = path.read_text("utf-8").strip() if path is not None else ""
    except (OSError, UnicodeDecodeError):
        secret = ""
    if not secret or not secret.isprintable():
        raise ConfigurationError(f"Provider {provider_id}: name a readable, one-line dicomweb password or token file.")
    return secret
