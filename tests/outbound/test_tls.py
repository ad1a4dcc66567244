import socket
import ssl
import warnings
from datetime import timedelta
from pathlib import Path

import pytest

from smartapp.clock import SystemClock
from smartapp.errors import ConfigurationError, UpstreamDown
from smartapp.outbound.service import Outbound
from tests.support.certificates import Authority, authority
from tests.support.upstream import answer, answering, wire_server

FUTURE = SystemClock().now() + timedelta(days=30)
PAST = SystemClock().now() - timedelta(days=1)


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    return authority(tmp_path, FUTURE)


def test_a_private_ca_is_trusted_where_it_is_configured(outbound: Outbound, ca: Authority) -> None:
    with wire_server(answering(answer(b"fine")), ca.server("127.0.0.1", FUTURE)) as server:
        door = outbound.for_origins("test", (server.origin,), ca_file=ca.ca_file)
        assert door.request("GET", server.origin).body == b"fine"


@pytest.mark.clause("SMART 2.2", "1", "230", "232", "318")
@pytest.mark.threat("F12")
@pytest.mark.parametrize("fault", ["unknown authority", "expired", "another host"])
def test_bad_certificates_are_refused_once_and_for_all(outbound: Outbound, ca: Authority, fault: str) -> None:
    tls = ca.server("127.0.0.2" if fault == "another host" else "127.0.0.1", PAST if fault == "expired" else FUTURE)
    with wire_server(answering(answer(b"secret")), tls) as server:
        door = outbound.for_origins(
            "test", (server.origin,), ca_file=None if fault == "unknown authority" else ca.ca_file
        )
        with pytest.raises(UpstreamDown, match="tls"):
            door.request("GET", server.origin)
        with pytest.raises(UpstreamDown, match="tls"):
            door.stream(server.origin)
        with pytest.raises(UpstreamDown, match="tls"):
            door.session().get(server.origin, verify=False)
    assert server.requests == []


@pytest.mark.clause("SMART 2.2", "1", "230", "232", "318")
def test_a_server_with_tls_older_than_1_2_is_refused(outbound: Outbound, ca: Authority) -> None:
    tls = ca.server("127.0.0.1", FUTURE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of what this test is about
        lax = ssl.create_default_context(cafile=ca.ca_file)
        for context in (tls, lax):
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.TLSv1
        tls.maximum_version = ssl.TLSVersion.TLSv1_1
    with wire_server(answering(answer(b"secret")), tls) as server:
        door = outbound.for_origins("test", (server.origin,), ca_file=ca.ca_file)
        with pytest.raises(UpstreamDown, match="tls"):
            door.request("GET", server.origin)
        assert server.requests == []
        with (
            socket.create_connection(("127.0.0.1", server.port)) as plain,
            lax.wrap_socket(plain, server_hostname="127.0.0.1") as old,
        ):
            assert old.version() == "TLSv1.1", "others do reach this server"


def test_a_ca_file_without_certificates_stops_the_start(outbound: Outbound, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("none")
    for name in ("ca.pem", "absent.pem"):
        with pytest.raises(ConfigurationError, match="ca_file"):
            outbound.for_origins("test", ("https://a.example",), ca_file=tmp_path / name)
