import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from smartapp import cli
from smartapp.db.datakeys import DataKeys
from smartapp.db.engine import make_engine
from smartapp.db.unit import Database
from smartapp.errors import DatabaseBusy
from smartapp.outbound.findings import Finding, State
from smartapp.security.keyring import Keyring
from smartapp.settings import load
from tests.support.configuration import shipped

Run = Callable[..., int]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return shipped(tmp_path)


@pytest.fixture
def run(config: Path) -> Run:
    return lambda *arguments: cli.main(["--config", str(config), *arguments])


def test_keys_are_made_once(run: Run, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("keys", "init") == 0
    assert "Back them up" in capsys.readouterr().out
    first = Keyring.load(config.parent / "keys").current
    assert run("keys", "init") == 2
    assert "keys rotate" in capsys.readouterr().err
    assert Keyring.load(config.parent / "keys").current == first


def test_the_tables_go_up_and_down(run: Run, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("db", "check") == 1
    assert "db upgrade" in capsys.readouterr().out
    assert run("db", "upgrade") == 0
    assert run("db", "check") == 0
    with sqlite3.connect(config.parent / "smartapp.db") as connection:
        connection.execute("DROP TABLE viewer_tokens")
    connection.close()
    capsys.readouterr()
    assert run("db", "check") == 1
    assert "viewer_tokens" in capsys.readouterr().out


def test_going_back_takes_the_tables_away(run: Run) -> None:
    assert run("db", "upgrade") == 0
    assert run("db", "downgrade", "base") == 0
    assert run("db", "check") == 1


@pytest.mark.threat("C8")
def test_rotation_wraps_all_keys_anew_and_can_be_resumed(
    run: Run, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("keys", "init")
    run("db", "upgrade")
    engine = make_engine(load(config, {}).database)
    folder = config.parent / "keys"
    secrets = [DataKeys(Database(engine), Keyring.load(folder)).for_patient(f"a/{n}").secret for n in range(3)]
    capsys.readouterr()

    assert run("keys", "rotate") == 0
    current = Keyring.load(folder).current
    assert f"{current}; 3 patients" in capsys.readouterr().out
    assert run("keys", "rotate", "--resume") == 0
    assert f"{current}; 0 patients" in capsys.readouterr().out
    assert [DataKeys(Database(engine), Keyring.load(folder)).for_patient(f"a/{n}").secret for n in range(3)] == secrets
    engine.dispose()


@pytest.mark.threat("C11")
def test_serving_without_keys_or_tables_is_refused(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("serve") == 2
    assert "smartapp keys init" in capsys.readouterr().err
    run("keys", "init")
    assert run("serve") == 2
    assert "smartapp db upgrade" in capsys.readouterr().err


def test_what_is_wrong_is_one_sentence(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text().replace("port = 8000", "prot = 8000"))
    assert cli.main(["--config", str(config), "db", "upgrade"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "smartapp: [server] prot is no setting: remove it, or correct its name.\n"
    assert cli.main(["--config", "absent.toml", "doctor"]) == 2
    assert "--config" in capsys.readouterr().err


def test_a_database_that_is_locked_is_said(run: Run, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text().replace("lock_timeout = 4.0", "lock_timeout = 0.1"))
    with sqlite3.connect(config.parent / "smartapp.db", isolation_level=None) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        assert run("db", "upgrade") == 1
        connection.execute("ROLLBACK")
    connection.close()
    assert "does not answer" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["db"], ["db", "downgrade"], ["keys", "init", "x"]])
def test_a_command_line_that_is_none_ends_with_two(run: Run, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(*arguments)
    assert caught.value.code == 2


@pytest.mark.parametrize(("state", "status"), [("works", 0), ("look", 0), ("fails", 1)])
def test_the_doctor_tells_all_and_fails_if_anything_does(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: State, status: int
) -> None:
    found = [Finding("keys", "works", "fine"), Finding("pacs", state, "so")]
    monkeypatch.setattr("smartapp.bootstrap.diagnosis.diagnose", lambda _settings: iter(found))
    assert run("doctor") == status
    marks = {"works": "works ", "look": "look  ", "fails": "FAILED"}
    assert capsys.readouterr().out.splitlines() == ["works   keys: fine", f"{marks[state]}  pacs: so"]
    assert run("doctor", "--json") == status
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told == [
        {"name": "keys", "state": "works", "sentence": "fine"},
        {"name": "pacs", "state": state, "sentence": "so"},
    ]


def test_the_sandbox_takes_this_process_and_the_rest_of_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[list[str]] = []

    def execv(_path: str, arguments: list[str]) -> None:
        became.append(arguments)
        raise SystemExit

    monkeypatch.setattr(os, "execv", execv)
    with pytest.raises(SystemExit):
        cli.main(["sandbox", "--json", "--port-base", "9000"])
    assert became == [[sys.executable, "-m", "smartapp.sandbox", "--json", "--port-base", "9000"]]


def test_the_command_loads_little_before_it_is_needed() -> None:
    heavy = ("flask", "alembic", "sqlalchemy", "requests", "pydicom", "gunicorn")
    code = f"import sys, smartapp.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_errors_without_a_sentence_have_a_code() -> None:
    assert cli._sentence(DatabaseBusy()).startswith("The database")


def test_who_has_read_enough_is_no_fault(run: Run, config: Path) -> None:
    run("keys", "init")
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "smartapp.cli", "--config", str(config), "doctor"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")
