import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from smartapp.clock import SystemClock
from tests.support.certificates import authority
from tests.support.configuration import CONFIG
from tests.support.parts import require

TEXT = (CONFIG / "nginx.conf").read_text()


def directive(name: str) -> list[str]:
    return re.findall(rf"^\s*{name}\s+([^;]+);", TEXT, re.MULTILINE)


def test_nginx_takes_it(tmp_path: Path) -> None:
    nginx = require("nginx", shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin"))
    future = SystemClock().now() + timedelta(days=30)
    pem = authority(tmp_path, future).server_file("127.0.0.1", future)
    text = re.sub(r"/etc/smartapp/tls/\w+\.pem", str(pem), TEXT)
    text = re.sub(r"/var/log/nginx|/run", str(tmp_path), text)
    text = re.sub(r"(listen \S*?)(443|80)\b", r"\g<1>0\2", text.replace("listen 80", "listen 127.0.0.1:80"))
    path = tmp_path / "nginx.conf"
    path.write_text(text.replace(":0443", ":18443").replace(" 0443", " 18443").replace(":080", ":18080"))
    done = subprocess.run(
        [nginx, "-t", "-e", tmp_path / "error.log", "-p", tmp_path, "-c", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_nothing_of_a_patients_goes_through_a_file() -> None:
    assert directive("proxy_max_temp_file_size") == ["0"]
    assert directive("client_max_body_size") == directive("client_body_buffer_size")
    assert "X-Accel" not in TEXT
    assert "proxy_cache" not in TEXT


@pytest.mark.threat("F22")
@pytest.mark.parametrize(
    "name", ["client_header_timeout", "client_body_timeout", "send_timeout", "proxy_read_timeout", "limit_conn"]
)
def test_slow_clients_are_bounded(name: str) -> None:
    assert len(directive(name)) == 1


def test_logs_hold_no_addresses() -> None:
    (log,) = directive("log_format")
    assert not re.search(r"\$(request|request_uri|uri|args|query_string|http_referer|remote_addr|http_\w+)\b", log)
    assert directive("access_log") == ["/var/log/nginx/access.log bare"]


@pytest.mark.threat("W11")
def test_host_is_passed_and_what_clients_forward_is_not() -> None:
    passed = dict(line.split(None, 1) for line in directive("proxy_set_header"))
    assert passed["Host"] == "$http_host"
    assert {passed[f"X-Forwarded-{name}"] for name in ("Host", "Port", "Prefix")} == {'""'}
    assert passed["X-Forwarded-For"] == "$remote_addr"


@pytest.mark.clause("SMART 2.2 server", "231")
def test_tls_is_1_2_or_newer() -> None:
    assert directive("ssl_protocols") == ["TLSv1.2 TLSv1.3"]


@pytest.mark.threat("W24")
def test_without_tls_only_the_start_page_leads_on() -> None:
    assert directive("return") == ["301 https://imaging.example.org/", "403"]
