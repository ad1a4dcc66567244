"""The mail server in the configuration."""

from typing import Any

import pytest

from smartapp.errors import ConfigurationError
from smartapp.settings import Mail
from tests.settings.conftest import Configuration

GOOD: dict[str, Any] = {"smtp_host": "smtp.example.org", "sender": "alerts@imaging.example.org"}


def test_without_a_host_there_is_no_mail(configuration: Configuration) -> None:
    assert configuration.load().mail == Mail()


def test_a_mail_server_is_spoken_to_with_tls(configuration: Configuration) -> None:
    configuration.app["mail"] = GOOD
    assert configuration.load().mail == Mail("smtp.example.org", 587, "starttls", "alerts@imaging.example.org")


@pytest.mark.parametrize(
    ("spoilt", "says"),
    [
        ({"smtp_host": "smtp example"}, "smtp_host"),
        ({"smtp_port": 70000}, "smtp_port"),
        ({"sender": "alerts"}, "sender"),
        ({"sender": "a@b.example>"}, "sender"),
        ({"security": "none"}, "sandbox"),
        ({"user": "smartapp"}, "password_file"),
        ({"user": "smartapp", "password_file": "absent"}, "password_file"),
        ({"ca_file": "absent"}, "ca_file"),
    ],
)
def test_what_cannot_be_is_refused(configuration: Configuration, spoilt: dict[str, Any], says: str) -> None:
    configuration.app["mail"] = GOOD | spoilt
    with pytest.raises(ConfigurationError, match=says):
        configuration.load()
