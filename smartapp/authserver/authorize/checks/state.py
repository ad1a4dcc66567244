"""`state`: the app's own, given back as it came (RFC 6749 §4.1.1, appendix A.5)."""

import re
from typing import Final

from smartapp.authserver.authorize.asking import Asking
from smartapp.authserver.authorize.refusals import PageRefused

_STATE: Final = re.compile(r"[\x20-\x7e]{1,2048}", re.ASCII)


def check(asking: Asking) -> None:
    """Printable, and no larger than what fits into an address. What cannot be given back is not taken."""
    said = asking.get("state")
    if said and not _STATE.fullmatch(said):
        raise PageRefused("oauth.authorize.reject", "state")
    asking.state = said
