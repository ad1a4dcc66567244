"""A new installation, from answers to a doctor's word."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smartapp import cli
from smartapp.bootstrap.setup import dialogue, questions
from smartapp.bootstrap.setup.questions import Terminal
from smartapp.errors import ConfigurationError
from smartapp.launch.client_auth import load_signing_key, system_key_setting
from smartapp.security.keyring import Keyring
from smartapp.settings import Jurisdiction, load
from tests.launch.server import said
from tests.support.toml import write_toml
from tests.threats.hospital import Hospital, hospital


@pytest.fixture
def place() -> Iterator[Hospital]:
    with hospital("st-elsewhere", "ISSUER") as running:
        yield running


def answers(place: Hospital, **changed: Any) -> dict[str, Any]:
    provider = place.provider()
    return {
        "id": "st-elsewhere",
        "name": "St. Elsewhere Health",
        "iss": provider.iss,
        "client_id": "imaging",
        "dicomweb": provider.dicomweb,
        "mrn_systems": ["urn:mrn"],
        "timezone": "America/Chicago",
        **changed,
    }


def written(folder: Path, hospital_answers: dict[str, Any], **site: Any) -> Path:
    path = folder / "answers.toml"
    head = {"base_url": "http://127.0.0.1:8000", "environment": "sandbox", **site}
    lines = "".join(f'{name} = "{value}"\n' for name, value in head.items())
    path.write_text(lines + write_toml({"hospital": [hospital_answers]}))
    return path


class Script:
    """An operator who answers in order; what was asked and said is kept."""

    def __init__(self, *typed: str) -> None:
        self.typed = list(typed)
        self.asked: list[str] = []
        self.said: list[str] = []

    def line(self, prompt: str) -> str:
        self.asked.append(prompt)
        if not self.typed:
            raise EOFError
        return self.typed.pop(0)

    @property
    def terminal(self) -> Terminal:
        return Terminal(self.line, self.line, self.said.append)


def silent() -> Terminal:
    return Script().terminal


@pytest.mark.promise("E8")
def test_a_program_gets_a_configuration_that_the_doctor_finds_well(
    place: Hospital, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "made"
    status = cli.main(["init", "--folder", str(folder), "--answers", str(written(tmp_path, answers(place)))])
    told = capsys.readouterr().out
    assert status == 0, told
    assert "FAILED" not in told
    assert "works   EHR of st-elsewhere" in told
    assert "http://127.0.0.1:8000/.well-known/jwks.json" in told
    settings = load(folder / "smartapp.toml", {})
    (provider,) = settings.providers
    assert (provider.name, provider.client_auth, provider.mrn_systems) == (
        "St. Elsewhere Health", "private_key_jwt", ("urn:mrn",)
    )  # fmt: skip
    assert provider.iss.startswith(provider.trusted_origins[0])
    Keyring.load(settings.keys.dir)
    for path in folder.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o077 == 0, f"{path} {mode:o}"
    assert not list(folder.rglob("draft*"))
    assert not list(folder.rglob("*.new"))


def test_an_operator_is_asked_until_it_can_be_meant(place: Hospital, tmp_path: Path) -> None:
    provider = place.provider()
    script = Script(
        "", "https://imaging.example.org", "", "St. Elsewhere Health", "", provider.iss, "imaging", "magic",
        "client_secret_basic", "", "a real secret", provider.dicomweb, "basic", "reader", "a real password",
        "urn:mrn urn:old", "America/Chicago", "", "", "no",
    )  # fmt: skip
    with pytest.raises(ConfigurationError, match="https"):  # a real installation has no http
        dialogue.run(script.terminal, tmp_path / "made", None, overwrite=False)
    assert script.typed == []
    assert not (tmp_path / "made" / "smartapp.toml").exists()
    assert any("magic" not in line and "One of" in line for line in script.said)
    secret = tmp_path / "made" / "secrets" / "st-elsewhere-health-client"
    assert (secret.read_text(), stat.S_IMODE(secret.stat().st_mode)) == ("a real secret\n", 0o600)
    assert not any("a real" in line for line in script.said)


def test_what_cannot_be_an_answer_is_asked_for_again_at_once(place: Hospital, tmp_path: Path) -> None:
    provider = place.provider()
    script = Script(
        "imaging.example.org", "https://", "https://[", "https://imaging.example.org", "",
        "St. Elsewhere Health", "St Elsewhere", "", "ehr.example.org", provider.iss, "imaging", "",
        "//pacs", provider.dicomweb, "", "urn:mrn", "Chicago", "../UTC", "America/Chicago", "", "", "no",
    )  # fmt: skip
    with pytest.raises(ConfigurationError, match="https"):
        dialogue.run(script.terminal, tmp_path / "made", None, overwrite=False)
    assert script.typed == []
    said = [line.strip() for line in script.said if line.startswith("  ")]
    assert said.count("That is no address: begin with https://") == 5
    assert said.count("That is no time zone: write one as America/Chicago") == 2
    assert said.count("Only a-z, 0-9 and -") == 1


def test_a_configuration_is_replaced_only_when_somebody_agrees_and_keys_stay(place: Hospital, tmp_path: Path) -> None:
    folder, told = tmp_path / "made", written(tmp_path, answers(place))
    first = dialogue.run(silent(), folder, told, overwrite=False)
    assert first is not None
    key, before = Keyring.load(first.keys.dir).current, (folder / "smartapp.toml").read_text()
    signing = (folder / "secrets" / "st-elsewhere.jwk").read_text()
    with pytest.raises(ConfigurationError, match="--overwrite"):
        dialogue.run(silent(), folder, told, overwrite=False)
    assert dialogue.run(Script("yeah").terminal, folder, None, overwrite=False) is None
    assert (folder / "smartapp.toml").read_text() == before
    again = dialogue.run(silent(), folder, written(tmp_path, answers(place, name="Mercy")), overwrite=True)
    assert again is not None
    assert again.providers[0].name == "Mercy"
    assert Keyring.load(again.keys.dir).current == key
    assert (folder / "secrets" / "st-elsewhere.jwk").read_text() == signing


@pytest.mark.threat("S4")
def test_other_origins_are_pinned_by_a_person_only(place: Hospital, tmp_path: Path) -> None:
    other = "https://auth.example.org"
    place.ehr.metadata["authorization_endpoint"] = f"{other}/authorize"
    with pytest.raises(ConfigurationError, match=r'trusted_origins = \["https://auth\.example\.org"\]'):
        dialogue.run(silent(), tmp_path / "made", written(tmp_path, answers(place)), overwrite=False)
    told = written(tmp_path, answers(place, trusted_origins=[other]))
    made = dialogue.run(silent(), tmp_path / "made", told, overwrite=False)
    assert made is not None
    assert made.providers[0].trusted_origins[-1] == other


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"client_id": "changeme"}, "placeholder"),
        ({"timezone": "Mars"}, "timezone"),
        ({"iss": "ehr.example.org"}, "https://"),
        ({"id": "St. Elsewhere"}, "id must be"),
        ({"colour": "red"}, "colour"),
        ({"dicomweb_auth": "basic"}, "dicomweb_user"),
        ({"client_auth": "client_secret_basic"}, "client_secret_file"),
    ],
)
def test_what_will_not_do_is_said_and_nothing_is_left(
    place: Hospital, tmp_path: Path, changed: dict[str, Any], says: str
) -> None:
    folder = tmp_path / "made"
    with pytest.raises(ConfigurationError, match=says):
        dialogue.run(silent(), folder, written(tmp_path, answers(place, **changed)), overwrite=False)
    assert not (folder / "smartapp.toml").exists()
    assert not (folder / "providers.toml").exists()


def test_an_ehr_that_is_away_can_be_configured_and_the_doctor_says_so(
    place: Hospital, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place.ehr.server.at("/fhir/.well-known/smart-configuration", lambda _: said({}, 503))
    told = written(tmp_path, answers(place))
    assert cli.main(["init", "--folder", str(tmp_path / "made"), "--answers", str(told)]) == 1
    assert "FAILED  EHR of st-elsewhere" in capsys.readouterr().out


def test_answers_that_end_early_configure_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ended early"):
        dialogue.run(Script("https://a.example").terminal, tmp_path / "made", None, overwrite=False)
    assert not (tmp_path / "made" / "smartapp.toml").exists()


@pytest.mark.clause("SMART 2.2 server", "402", "436")
def test_a_website_is_enough_to_be_known_to_apps(place: Hospital, tmp_path: Path) -> None:
    for at, (website, expected) in enumerate((("https://www.example.org", "https://www.example.org"), ("", None))):
        told = written(tmp_path, answers(place, **({"website": website} if website else {})))
        made = dialogue.run(silent(), tmp_path / str(at), told, overwrite=False)
        assert made is not None
        brand = made.providers[0].brand
        assert (brand.website if brand else None) == expected
    spoilt = written(tmp_path, answers(place, website="www.example.org"))
    with pytest.raises(ConfigurationError, match="brand website"):
        dialogue.run(silent(), tmp_path / "spoilt", spoilt, overwrite=False)


def rules(folder: Path, name: str = "texas") -> Path:
    path = folder / "rules.toml"
    path.write_text(f'[[jurisdiction]]\nid = "{name}"\npreliminary = "held"\n')
    return path


@pytest.mark.promise("B1")
@pytest.mark.parametrize("auth", ["private_key_jwt", "none"])
def test_a_backend_service_is_configured_with_its_key_and_the_rules_that_hold(
    place: Hospital, tmp_path: Path, auth: str
) -> None:
    given = answers(place, client_auth=auth, system_client_id="imaging-backend", jurisdiction="texas")
    told = written(tmp_path, given, jurisdictions=rules(tmp_path))
    script = Script()
    made = dialogue.run(script.terminal, tmp_path / "made", told, overwrite=False)
    assert made is not None
    (provider,) = made.providers
    assert (provider.system_client_id, provider.jurisdiction) == ("imaging-backend", "texas")
    assert made.rules("st-elsewhere") == Jurisdiction("texas", "held")
    assert {"system/Patient.rs", "system/ImagingStudy.rs", "system/DiagnosticReport.rs"} <= {*provider.system_scopes}
    key = load_signing_key(provider, system_key_setting(provider))
    assert key.alg == "ES384"
    assert any("/.well-known/jwks.json" in line for line in script.said)


def test_an_operator_is_told_what_a_backend_service_is_and_asked_for_its_rules(place: Hospital, tmp_path: Path) -> None:
    provider = place.provider()
    script = Script(
        "http://127.0.0.1:8000", "", "St. Elsewhere Health", "", provider.iss, "imaging", "private_key_jwt",
        provider.dicomweb, "none", "urn:mrn", "America/Chicago", "", "imaging-backend", "", "texas", "no",
        str(tmp_path / "none.toml"), str(rules(tmp_path)),
    )  # fmt: skip
    given = questions.ask(script.terminal, tmp_path / "made")
    assert script.typed == []
    assert (given.hospitals[0].system_client_id, given.hospitals[0].jurisdiction) == ("imaging-backend", "texas")
    assert given.site.jurisdictions == tmp_path / "rules.toml"
    assert any("reach everybody's records" in line for line in script.said)
    assert "  There is no such file." in script.said


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"system_client_id": "backend"}, "name in jurisdiction the release rules"),
        ({"system_client_id": "backend", "jurisdiction": "utah"}, "jurisdiction utah is not described"),
        ({"system_client_id": "changeme", "jurisdiction": "texas"}, "placeholder"),
        ({"system_scopes": ["system/Patient.rs"]}, "without system_client_id"),
        (
            {"system_client_id": "backend", "jurisdiction": "texas", "system_scopes": ["system/*.cruds"]},
            "is not one that reads",
        ),
    ],
)
def test_half_a_backend_service_is_none(place: Hospital, tmp_path: Path, changed: dict[str, Any], says: str) -> None:
    told = written(tmp_path, answers(place, **changed), jurisdictions=rules(tmp_path))
    with pytest.raises(ConfigurationError, match=says):
        dialogue.run(silent(), tmp_path / "made", told, overwrite=False)
    assert not (tmp_path / "made" / "providers.toml").exists()


def test_the_doctor_tries_the_backend_service_at_once(
    place: Hospital, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """This EHR offers none: init says so, with its other findings."""
    given = answers(place, system_client_id="imaging-backend", jurisdiction="texas")
    told = written(tmp_path, given, jurisdictions=rules(tmp_path))
    cli.main(["init", "--folder", str(tmp_path / "made"), "--answers", str(told)])
    assert "backend services at st-elsewhere" in capsys.readouterr().out


def test_files_say_where_everything_is_explained(place: Hospital, tmp_path: Path) -> None:
    dialogue.run(silent(), tmp_path / "made", written(tmp_path, answers(place)), overwrite=False)
    for name in ("smartapp.toml", "providers.toml"):
        text = (tmp_path / "made" / name).read_text()
        assert text.startswith("# Made by `smartapp init`")
        assert f"config/{name}" in text
        tomllib.loads(text)
