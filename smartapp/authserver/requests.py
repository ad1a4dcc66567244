"""A request to an endpoint that programs call: a form, each parameter once, nothing from the address."""

from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from flask import request

from smartapp.authserver import addresses
from smartapp.authserver.errors import InvalidRequest
from smartapp.identity.apps.model import App
from smartapp.web.reference import request_id

_FORM = "application/x-www-form-urlencoded"


class OAuthRequest(OAuth2Request):
    """The current request, at `provider`. `form` holds what has a value: an empty parameter is none (RFC 6749 §3.1)."""

    client: App | None  # type: ignore[assignment]  # our own registrations, not Authlib's

    def __init__(self, provider: str, form: dict[str, str]) -> None:
        super().__init__(request.method, addresses.issuer(provider), headers=dict(request.headers))
        self.provider = provider
        self.reference = request_id()
        self.payload = BasicOAuth2Payload(form)
        self._parameters = form

    @property
    def form(self) -> dict[str, str]:
        """The parameters of the body. Those of the address are not read (RFC 6749 §2.3.1)."""
        return self._parameters

    def header(self, name: str) -> str:
        """A header, or an empty text."""
        return str((self.headers or {}).get(name, ""))

    def require(self, name: str) -> str:
        """A parameter's value. InvalidRequest when there is none."""
        value = self._parameters.get(name)
        if value is None:
            raise InvalidRequest
        return value

    @property
    def app(self) -> App:
        """The client, once it was authenticated."""
        if self.client is None:
            raise RuntimeError("the client was not authenticated")
        return self.client


def current() -> OAuthRequest:
    """The request that is being answered. InvalidRequest for another content type, and for a parameter said twice."""
    provider = str((request.view_args or {})["provider"])
    if request.mimetype != _FORM:
        raise InvalidRequest("The body must be application/x-www-form-urlencoded.")
    form: dict[str, str] = {}
    for name, values in request.form.lists():
        if len(values) > 1:
            raise InvalidRequest
        if values[0]:
            form[name] = values[0]
    return OAuthRequest(provider, form)
