"""The `smartapp` command. Heavy things are imported by the command that needs them."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from smartapp.cli.apps import add_apps
from smartapp.cli.staff import add_staff
from smartapp.errors import ConfigurationError, DatabaseBusy, SmartappError
from smartapp.settings import Settings, load

_CONFIG: Final = "SMARTAPP_CONFIG"
_DEFAULT: Final = "config/smartapp.toml"
_FAILED: Final = 1
_UNUSABLE: Final = 2
"""Exit status when the configuration, a key file or the command line cannot be used."""

_PRIVATE: Final = 0o077
"""Nobody else on this machine reads a file that we make."""

_INIT: Final = (
    "Asks what a new installation needs, or reads it from --answers; writes the configuration, makes the keys and the "
    "tables, and looks at all with the doctor."
)
_MARKS: Final = {"works": "works ", "look": "look  ", "fails": "FAILED"}

Command = Callable[[argparse.Namespace, Settings], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; its exit status. What goes wrong is one sentence on standard error."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["sandbox"]:
        _become("smartapp.sandbox", *given[1:])
    parsed = _parser().parse_args(given)
    try:
        status = _done(parsed)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads what we say has enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    return status


def _done(parsed: argparse.Namespace) -> int:
    begins_anew: bool = getattr(parsed, "begins_anew", False)
    command: Command = parsed.command
    try:
        if begins_anew:  # there is no configuration to load yet
            return _init(parsed)
        return command(parsed, load(parsed.config, os.environ))
    except SmartappError as error:
        sys.stderr.write(f"smartapp: {_sentence(error)}\n")
        return _UNUSABLE if isinstance(error, ConfigurationError) or hasattr(error, "sentence") else _FAILED


def gunicorn_settings(settings: Settings) -> dict[str, Any]:
    """How gunicorn serves us; also what `config/gunicorn.conf.py` holds.

    Threads, since a sync worker's stream is cut at `timeout`, and that of a study lasts minutes: a threaded worker
    goes on telling the master that it lives. No access log: addresses name studies.
    """
    return {
        "wsgi_app": "smartapp.wsgi:app",
        "bind": [_bind(settings, settings.server.port)],
        "worker_class": "gthread",
        "workers": settings.server.workers,
        "threads": settings.server.threads,
        "timeout": 30,
        "graceful_timeout": 30,
        "keepalive": 5,
        "limit_request_line": 8190,
        "limit_request_fields": 64,
        "limit_request_field_size": 8190,
        "forwarded_allow_ips": ",".join(settings.server.proxies),
        "accesslog": None,
        "errorlog": "-",
        "logger_class": "smartapp.cli.server_log.ServerLog",
        "control_socket_disable": True,
        "umask": _PRIVATE,
        "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108 -- heartbeats, in memory
    }


def _bind(settings: Settings, port: int) -> str:
    host = settings.server.host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="smartapp", description="The guarded door to a hospital's imaging records.")
    default = Path(os.environ.get(_CONFIG, _DEFAULT))
    parser.add_argument(
        "--config", type=Path, default=default, help=f"smartapp.toml (default: ${_CONFIG}, or {_DEFAULT})"
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    init = commands.add_parser("init", help="make a configuration, keys and tables", description=_INIT)
    init.set_defaults(command=None, begins_anew=True)
    init.add_argument("--folder", type=Path, default=Path("/etc/smartapp"), help="where (default: /etc/smartapp)")
    init.add_argument("--answers", type=Path, help="a TOML file with the answers, to be asked nothing")
    init.add_argument("--overwrite", action="store_true", help="replace a configuration; keys and secrets are kept")
    _add(commands, "serve", _serve, "serve the product with gunicorn")
    _add(commands, "ohif", _ohif, "serve OHIF, the viewer that measures, at its own address")
    _add(commands, "worker", _worker, "do the background work: send mail")
    doctor = _add(commands, "doctor", _doctor, "tell what works, what does not, and what to do about it")
    doctor.add_argument("--json", action="store_true", help="one line of JSON for each finding")
    commands.add_parser("sandbox", help="EHR, PACS, sample people and the product together (see sandbox --help)")
    database = commands.add_parser("db", help="the tables").add_subparsers(required=True, metavar="action")
    _add(database, "upgrade", _db_upgrade, "bring the tables to the newest revision")
    _add(database, "check", _db_check, "tell whether the tables are what the code expects")
    downgrade = _add(database, "downgrade", _db_downgrade, "take the tables back, with the data in what is removed")
    downgrade.add_argument("revision", help="the revision to go back to, -1 for one step, or base for no tables")
    add_apps(commands)
    add_staff(commands)
    keys = commands.add_parser("keys", help="the key files").add_subparsers(required=True, metavar="action")
    _add(keys, "init", _keys_init, "make the first keys")
    rotate = _add(keys, "rotate", _keys_rotate, "make a new current key, and wrap the patients' keys with it")
    rotate.add_argument("--resume", action="store_true", help="make no new key; finish a rotation that was stopped")
    signing = _add(keys, "rotate-signing", _keys_rotate_signing, "let the next keys sign id_tokens, and make new ones")
    signing.add_argument("--at-once", action="store_true", help="they leaked: all are replaced, and published ones too")
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, command: Command, words: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=words, description=words)
    parser.set_defaults(command=command)
    return parser


def _become(module: str, *arguments: str) -> NoReturn:
    """A program of its own: this process becomes it, so that signals and standard output are its."""
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 -- no shell is wanted


def _serve(arguments: argparse.Namespace, settings: Settings) -> int:
    from gunicorn.app.wsgiapp import WSGIApplication  # noqa: PLC0415 -- only this command serves

    _require_ready(settings)
    os.environ[_CONFIG] = str(arguments.config.resolve())
    os.umask(_PRIVATE)

    class Served(WSGIApplication):
        """gunicorn with our settings, and none from its own command line or files."""

        def load_config(self) -> None:
            for name, value in gunicorn_settings(settings).items():
                self.cfg.set(name, value)
            self.app_uri = self.cfg.wsgi_app

    Served().run()
    return 0


def _ohif(_arguments: argparse.Namespace, settings: Settings) -> int:
    from gunicorn.app.base import BaseApplication  # noqa: PLC0415 -- as above

    from smartapp.portal.ohif.app import make_ohif_app  # noqa: PLC0415 -- as above

    if settings.ohif is None:
        raise ConfigurationError("[ohif] is not in smartapp.toml: add it, with base_url and dir.")
    app, port = make_ohif_app(settings, settings.ohif), settings.ohif.port

    class Viewer(BaseApplication):
        """gunicorn with our settings, and files only: no key or table is opened."""

        def load_config(self) -> None:
            for name, value in gunicorn_settings(settings).items():
                self.cfg.set(name, value)
            self.cfg.set("bind", [_bind(settings, port)])

        def load(self) -> Any:
            return app

    Viewer().run()
    return 0


def _worker(arguments: argparse.Namespace, settings: Settings) -> int:
    _require_ready(settings)
    _become("smartapp.worker", "--config", str(arguments.config.resolve()))


def _require_ready(settings: Settings) -> None:
    """Workers that cannot start would be started for ever: what they need is looked at first."""
    from smartapp.db import schema  # noqa: PLC0415 -- as above
    from smartapp.db.engine import make_engine  # noqa: PLC0415 -- as above
    from smartapp.security.keyring import Keyring  # noqa: PLC0415 -- as above
    from smartapp.tokens.signing import require_signing_keys  # noqa: PLC0415 -- as above

    Keyring.load(settings.keys.dir)
    require_signing_keys(settings.keys.dir)
    engine = make_engine(settings.database)
    current = schema.is_current(engine)
    engine.dispose()
    if not current:
        raise ConfigurationError("The tables are not those that this version expects: run `smartapp db upgrade`.")


def _init(arguments: argparse.Namespace) -> int:
    from smartapp.bootstrap.setup import dialogue  # noqa: PLC0415 -- loads the whole product

    terminal = dialogue.at_terminal()
    settings = dialogue.run(terminal, arguments.folder, arguments.answers, overwrite=arguments.overwrite)
    return 0 if settings is None else _diagnose(settings, as_json=False)


def _doctor(arguments: argparse.Namespace, settings: Settings) -> int:
    return _diagnose(settings, as_json=arguments.json)


def _diagnose(settings: Settings, *, as_json: bool) -> int:
    """Each finding as soon as it is made: an EHR that is slow to fail is waited for with something to read."""
    from smartapp.bootstrap.diagnosis import diagnose  # noqa: PLC0415 -- loads the whole product

    failed = False
    for found in diagnose(settings):
        failed = failed or found.state == "fails"
        line = json.dumps(vars(found)) if as_json else f"{_MARKS[found.state]}  {found.name}: {found.sentence}"
        print(line, flush=True)
    return _FAILED if failed else 0


def _db_upgrade(_arguments: argparse.Namespace, settings: Settings) -> int:
    from smartapp.db import schema  # noqa: PLC0415 -- loads Alembic
    from smartapp.db.engine import make_engine  # noqa: PLC0415 -- as above

    schema.upgrade(make_engine(settings.database))
    print("The tables are at the newest revision.")
    return 0


def _db_downgrade(arguments: argparse.Namespace, settings: Settings) -> int:
    from smartapp.db import schema  # noqa: PLC0415 -- as above
    from smartapp.db.engine import make_engine  # noqa: PLC0415 -- as above

    schema.downgrade(make_engine(settings.database), arguments.revision)
    print(f"The tables are back at {arguments.revision}.")
    return 0


def _db_check(_arguments: argparse.Namespace, settings: Settings) -> int:
    from smartapp.db import schema  # noqa: PLC0415 -- as above
    from smartapp.db.engine import make_engine  # noqa: PLC0415 -- as above

    engine = make_engine(settings.database)
    if not schema.is_current(engine):
        print("The tables are not at the newest revision: run `smartapp db upgrade`.")
        return _FAILED
    found = schema.differences(engine)
    print("\n".join(found) or "The tables are what the code expects.")
    return _FAILED if found else 0


def _keys_init(_arguments: argparse.Namespace, settings: Settings) -> int:
    from smartapp.clock import SystemClock  # noqa: PLC0415 -- as above
    from smartapp.security.keyring import Keyring  # noqa: PLC0415 -- loads cryptography
    from smartapp.tokens import signing_files  # noqa: PLC0415 -- as above

    Keyring.create(settings.keys.dir)
    signing_files.rotate(settings.keys.dir, SystemClock().now())
    print(f"New keys are in {settings.keys.dir}. Back them up now, apart from the database.")
    return 0


def _keys_rotate(arguments: argparse.Namespace, settings: Settings) -> int:
    from smartapp.db.datakeys import DataKeys  # noqa: PLC0415 -- as above
    from smartapp.db.engine import make_engine  # noqa: PLC0415 -- as above
    from smartapp.db.unit import Database  # noqa: PLC0415 -- as above
    from smartapp.security.keyring import Keyring  # noqa: PLC0415 -- as above

    folder = settings.keys.dir
    keyring = Keyring.load(folder) if arguments.resume else Keyring.rotate(folder)
    changed = DataKeys(Database(make_engine(settings.database)), keyring).rewrap_all()
    print(f"The current key is {keyring.current}; {changed} patients' keys were wrapped with it. Back the keys up now.")
    return 0


def _keys_rotate_signing(arguments: argparse.Namespace, settings: Settings) -> int:
    from smartapp.clock import SystemClock  # noqa: PLC0415 -- as above
    from smartapp.tokens import signing_files  # noqa: PLC0415 -- as above

    signing_files.rotate(settings.keys.dir, SystemClock().now(), at_once=arguments.at_once)
    print("New keys for id_tokens are published. Back the keys up now.")
    return 0


def _sentence(error: SmartappError) -> str:
    if isinstance(error, DatabaseBusy):
        return "The database does not answer, or somebody holds a lock: see [database] url, and try again."
    return str(error)
