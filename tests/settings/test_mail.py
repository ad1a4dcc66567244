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


@pytest.mark.parametrize(
    ("address", "mail", "says"),
    [
        ("records", GOOD, "one address"),
        ("records@a.example, other@b.example", GOOD, "one address"),
        ("records@hospital.example", {}, "smtp_host"),
    ],
)
def test_staff_has_an_address_that_mail_reaches(
    configuration: Configuration, address: str, mail: dict[str, Any], says: str
) -> None:
    configuration.provider["staff_mail"] = address
    configuration.app["mail"] = mail
    with pytest.raises(ConfigurationError, match=says):
        configuration.load()


def test_staff_who_are_to_get_mail_do(configuration: Configuration) -> None:
    configuration.app["mail"] = GOOD
    configuration.provider["staff_mail"] = "records@hospital.example"
    assert configuration.load().providers[0].staff_mail == "records@hospital.example"
