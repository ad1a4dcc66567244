"""Requests wrapped in a token or kept elsewhere (OpenID Connect Core 1.0 §6, RFC 9101, RFC 9126): not offered."""

from smartapp.authserver.authorize.asking import Asking
from smartapp.authserver.authorize.refusals import AnswerRefused


def check(asking: Asking) -> None:
    """Refused rather than ignored: an app that sends one believes what is in it. Nothing is fetched."""
    if asking.get("request_uri"):
        raise AnswerRefused(
            "request_uri_not_supported",
            "request-uri",
            "request_uri is not supported: send the parameters themselves.",
            kind="oauth.request_uri",
        )
    if asking.get("request"):
        raise AnswerRefused(
            "request_not_supported",
            "request-object",
            "request is not supported: send the parameters themselves.",
            kind="oauth.request_obj",
        )
