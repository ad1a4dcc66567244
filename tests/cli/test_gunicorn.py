import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from gunicorn.config import Config as GunicornConfig

from smartapp.cli import gunicorn_settings
from smartapp.settings import load
from tests.support.configuration import CONFIG, shipped


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    return shipped(tmp_path)


def test_each_setting_is_one_that_gunicorn_knows(config_file: Path) -> None:
    config = GunicornConfig()
    for name, value in gunicorn_settings(load(config_file, {})).items():
        config.set(name, value)
    assert config.address == [("127.0.0.1", 8000)]
    assert (config.workers, config.threads) == (2, 8)


@pytest.mark.threat("F21")
def test_long_downloads_are_served_by_threads_that_tell_they_live(config_file: Path) -> None:
    from gunicorn.workers.gthread import ThreadWorker

    config = GunicornConfig()
    for name, value in gunicorn_settings(load(config_file, {})).items():
        config.set(name, value)
    assert config.worker_class is ThreadWorker
    assert config.timeout > 0


def test_nothing_is_logged_or_believed_that_should_not_be(config_file: Path) -> None:
    settings = gunicorn_settings(load(config_file, {}))
    assert settings["accesslog"] is None
    assert settings["forwarded_allow_ips"] == "127.0.0.1,::1"
    assert settings["control_socket_disable"] is True
    assert 0 < settings["limit_request_line"] <= 8190
    assert 0 < settings["limit_request_field_size"] <= 8190


def test_ipv6_hosts_are_bracketed(config_file: Path) -> None:
    assert gunicorn_settings(load(config_file, {"SMARTAPP_SERVER_HOST": "::1"}))["bind"] == ["[::1]:8000"]


def test_the_file_for_gunicorn_holds_the_same(config_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTAPP_CONFIG", str(config_file))
    spec = importlib.util.spec_from_file_location("gunicorn_conf", CONFIG / "gunicorn.conf.py")
    assert spec is not None
    assert spec.loader is not None
    module = ModuleType("gunicorn_conf")
    spec.loader.exec_module(module)
    expected = gunicorn_settings(load(config_file, {}))
    assert {name: getattr(module, name) for name in expected} == expected
