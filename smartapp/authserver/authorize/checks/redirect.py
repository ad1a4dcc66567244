"""Where the answer goes: a registered address, compared as text (RFC 9700 §2.1, RFC 8252 §7.3)."""

import re
from typing import Final

from smartapp.authserver.authorize.asking import Asking
from smartapp.authserver.authorize.refusals import PageRefused

_LOOPBACK: Final = re.compile(
    r"http://(?P<host>127\.0\.0\.1|\[::1\])(?::(?P<port>[1-9][0-9]{0,4}))?(?P<rest>[/?].*)?", re.ASCII
)
"""An app on the reader's own machine takes whatever port is free there."""
_LAST_PORT: Final = 65535


def check(asking: Asking) -> None:
    """Exactly one of the app's. It must be said, however few there are (SMART App Launch 2.2)."""
    said = asking.get("redirect_uri")
    if not said:
        raise PageRefused("oauth.redirect.missing", "redirect-missing")
    if not any(matches(said, registered) for registered in asking.app.metadata.redirect_uris):
        raise PageRefused("oauth.redirect.mismatch", "redirect-mismatch")
    asking.redirect_uri = said


def matches(said: str, registered: str) -> bool:
    """Whether they are the same, or differ in the port of an address that names the machine itself as a number."""
    if said == registered:
        return True
    one, two = _LOOPBACK.fullmatch(said), _LOOPBACK.fullmatch(registered)
    if one is None or two is None or int(one["port"] or 0) > _LAST_PORT:
        return False
    return (one["host"], one["rest"]) == (two["host"], two["rest"])
