"""Whose address a request must name, and where a client may forget the port."""

import pytest
from flask.testing import FlaskClient

from tests.portal.conftest import Portal


@pytest.fixture
def client() -> FlaskClient:
    return Portal("http://127.0.0.1:8443", keyring=None).app.test_client()  # type: ignore[arg-type]  # asked of nobody


@pytest.mark.threat("W11")
@pytest.mark.parametrize(
    ("path", "host", "refused"),
    [
        ("/", "127.0.0.1:8443", False),
        ("/", "127.0.0.1", True),
        ("/", "evil.example", True),
        ("/", "127.0.0.1:8443, evil.example", True),
        ("/", "", True),
        ("/st-elsewhere/dicomweb/studies", "evil.example", True),
        ("/nowhere", "127.0.0.1", True),
    ],
)
def test_only_our_own_address_is_answered(client: FlaskClient, path: str, host: str, *, refused: bool) -> None:
    status = client.get(path, base_url="http://127.0.0.1:8443", headers={"Host": host}).status_code
    assert (status == 400) is refused


@pytest.mark.threat("W11")
def test_a_forwarded_host_changes_nothing(client: FlaskClient) -> None:
    answer = client.get("/", base_url="http://127.0.0.1:8443", headers={"X-Forwarded-Host": "evil.example"})
    assert answer.status_code == 200
    assert "evil.example" not in answer.text
