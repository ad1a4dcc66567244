from pathlib import Path

import pytest

from smartapp import cli
from smartapp.errors import ConfigurationError
from smartapp.settings import Ohif, load
from tests.support.configuration import shipped


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return shipped(tmp_path)


def without(config: Path) -> Path:
    config.write_text(config.read_text().partition("[ohif]")[0])
    return config


def test_the_shipped_file_describes_one(config: Path) -> None:
    assert load(config, {}).ohif == Ohif("https://viewer.imaging.example.org", config.parent / "ohif")


def test_one_may_do_without(config: Path) -> None:
    assert load(without(config), {}).ohif is None


def test_the_environment_can_add_it(config: Path) -> None:
    environ = {"SMARTAPP_OHIF_BASE_URL": "https://v.example.org", "SMARTAPP_OHIF_DIR": "/ohif"}
    assert load(without(config), environ).ohif == Ohif("https://v.example.org", Path("/ohif"))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("BASE_URL", "https://imaging.example.org", "must differ"),
        ("BASE_URL", "https://imaging.example.org:443", "must differ"),
        ("BASE_URL", "https://viewer.example.org/ohif", "no path"),
        ("BASE_URL", "http://viewer.example.org", "https"),
        ("PORT", "65536", "65535"),
        ("PROT", "1", "no setting"),
    ],
)
def test_what_cannot_be_meant_is_refused(config: Path, name: str, value: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        load(config, {f"SMARTAPP_OHIF_{name}": value})


def test_serving_none_or_an_empty_folder_is_refused(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--config", str(config), "ohif"]) == 2
    assert "make ohif" in capsys.readouterr().err
    assert cli.main(["--config", str(without(config)), "ohif"]) == 2
    assert "[ohif] is not in" in capsys.readouterr().err
