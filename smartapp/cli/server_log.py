"""gunicorn's own log, without what it quotes of requests: addresses name studies, and headers hold tokens."""

import sys
from typing import Any, Final

from gunicorn.glogging import Logger

from smartapp.errors import whereabouts

_UNREADABLE: Final = "Invalid request from"
_OF_REQUESTS: Final = ("Error handling request", "Socket error processing request", "Exception in post_request hook")


class ServerLog(Logger):
    """Of a request that could not be read, or broke where no page of ours can say so, it tells what kind of fault it
    was and where it was found. gunicorn would quote its line, its header, its address, and the error's own words.
    """

    def warning(self, msg: object, *args: object, **kwargs: Any) -> None:
        """As gunicorn calls it."""
        fault = sys.exc_info()[1]
        if str(msg).startswith(_UNREADABLE):
            super().warning("A request could not be read: %s", type(fault).__name__ if fault else "unknown")
        else:
            super().warning(msg, *args, **kwargs)

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        """As gunicorn calls it, in the handler of the exception."""
        fault = sys.exc_info()[1]
        if fault is not None and str(msg).startswith(_OF_REQUESTS):
            self.error("A request broke off: %s at %s", type(fault).__name__, whereabouts(fault))
        else:
            super().exception(msg, *args, **kwargs)
