"""A PostgreSQL server of our own: in a temporary folder, on a socket file, gone with the tests."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

_ALWAYS = "-c max_connections=200 -c listen_addresses=''"
_FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
"""The tests kill clients, never this server: nothing needs to reach the disk."""


@dataclass(frozen=True)
class PostgresServer:
    """A running server, reached over the socket in `folder`."""

    folder: Path

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def create(self, name: str, template: str = "template1") -> str:
        """A new database, copied from `template`; its URL."""
        self._run(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(f"host={self.folder} user=postgres dbname=postgres", autocommit=True) as connection:
            connection.execute(statement)


def binaries() -> Path | None:
    """The folder of `initdb` and `pg_ctl`: PATH, else Debian's place for the newest version."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    installed = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    return max(installed, key=lambda path: int(path.parent.name), default=None)


@contextmanager
def running(programs: Path, *, durable: bool = False) -> Iterator[PostgresServer]:
    """A server for the time of the block. It refuses to run as root: then it runs as `postgres`.

    `durable`: what it commits is on the disk, as it is where it counts; measurements need that.
    """
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="smartapp-pg-"))
    try:
        if user:
            os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        data = folder / "data"
        _call(user, folder, programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8")
        options = f"{_ALWAYS} {'' if durable else _FAST} -k {folder}"
        _call(user, folder, programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        try:
            yield PostgresServer(folder)
        finally:
            _call(user, folder, programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _call(user: str | None, folder: Path, *command: Path | str) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        user=user,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.returncode}")
