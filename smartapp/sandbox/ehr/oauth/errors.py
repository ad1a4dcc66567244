"""What the authorization server refuses, and the two ways of saying so (RFC 6749 §4.1.2.1, §5.2)."""

from collections.abc import Iterable


class OAuthError(Exception):
    """A refusal with its registered error code; `status` is that of the token endpoint's JSON answer."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


class PageError(Exception):
    """A request that nobody may be redirected for: it ends on a page of ours, with HTTP 400 or 403."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


def invalid_client(why: str) -> OAuthError:
    """The client did not prove who it is."""
    return OAuthError("invalid_client", why, 401)


def invalid_grant(why: str) -> OAuthError:
    """The code, token or verifier is not good."""
    return OAuthError("invalid_grant", why)


def single(given: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Parameters of a request, each at most once (RFC 6749 §3.1); OAuthError invalid_request if one is repeated."""
    found: dict[str, str] = {}
    for name, value in given:
        if name in found:
            raise OAuthError("invalid_request", f"{name} is given more than once"[:80])
        found[name] = value
    return found
