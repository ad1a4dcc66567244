"""requests' adapter, with the holes closed: every connection is verified, timed and without redirects."""

import ssl
from pathlib import Path
from typing import Any, Final

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from smartapp.errors import ConfigurationError
from smartapp.outbound.deadline import TimedResponse

_CONNECTIONS: Final = 24
"""Kept per origin: twelve streams and as many short requests."""


class _TimedConnection(HTTPConnection):
    response_class = TimedResponse


class _TimedTlsConnection(HTTPSConnection):
    response_class = TimedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _TimedConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TimedTlsConnection


class Adapter(HTTPAdapter):
    """Connections to the origins of one door. `ca_file` adds a private CA to the public ones.

    `plain`: none of the origins is https, and no connection to one can be made. Reading the public CAs takes longer
    than all else that a start does.
    """

    def __init__(self, ca_file: Path | None, origins: int, *, plain: bool = False) -> None:
        self._tls = None if plain and ca_file is None else tls_context(ca_file)
        super().__init__(pool_connections=origins, pool_maxsize=_CONNECTIONS, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._tls, **kwargs)
        secure = {} if self._tls is None else {"https": _TlsPool}
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, **secure}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing is left to do: the context verifies. requests' own would read the whole CA bundle per connection."""


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Verifies names and chains against the public CAs, and `ca_file` besides them. Raises ConfigurationError."""
    context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                f"ca_file {ca_file} cannot be read: it must hold certificates in PEM form"
            ) from error
    return context
