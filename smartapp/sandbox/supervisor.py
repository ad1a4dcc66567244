"""Starts the parts in order, stays while they live, and ends them together."""

import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import requests

from smartapp.clock import SHIFT_FILE
from smartapp.sandbox.addresses import Addresses, PacsKind, sample_host
from smartapp.sandbox.announcement import announce
from smartapp.sandbox.app_clients import AppClient, register_apps
from smartapp.sandbox.clients import EhrClient, make_clients
from smartapp.sandbox.config_files import Credentials, write_app, write_ehr, write_embedded_pacs, write_sample_app
from smartapp.sandbox.ohif import find_ohif
from smartapp.sandbox.pacs.orthanc.installation import find_orthanc, missing
from smartapp.sandbox.pacs.orthanc.server import Orthanc, start_orthanc
from smartapp.sandbox.pacs.orthanc.storage import filled_storage
from smartapp.sandbox.ports import choose_ports
from smartapp.sandbox.processes import Child, StartError, end, run, start, wait_until
from smartapp.sandbox.scans.cache import default_cache, scans
from smartapp.sandbox.world import World

_LOOK_EVERY = 0.2
_TIMEOUT = 5.0


@dataclass(frozen=True)
class Options:
    """What the command line says. `database` is a SQLAlchemy URL for the product in place of SQLite."""

    data: Path
    port_base: int | None = None
    pacs: PacsKind = "embedded"
    fhir_store: str | None = None
    database: str | None = None
    with_app: bool = True


class Stopped(BaseException):
    """Somebody asked us to end, or our parent is gone. Not an Exception: no retry or handler may swallow it."""


class Supervisor:
    """One sandbox: `start` brings it up and returns what to announce, `stay` watches it, `stop` ends it."""

    def __init__(self, world: World, options: Options) -> None:
        self._world = world
        self._options = options
        self._children: list[Child] = []
        self._credentials = Credentials()
        self._clock = options.data / "clock"
        hospitals = tuple(hospital.id for hospital in world.hospitals)
        self._addresses = Addresses(choose_ports(options.port_base, len(hospitals)), hospitals, options.pacs)

    def start(self) -> dict[str, Any]:
        """Starts PACS and EHR, then the product in front of them; raises StartError with the part's name."""
        options, addresses = self._options, self._addresses
        options.data.mkdir(parents=True, exist_ok=True)
        clients = make_clients(addresses, options.data / "clients")
        sys.stderr.write("sandbox: preparing the scans (the first time takes some seconds)\n")
        files = scans(self._world, default_cache(options.data))
        self._start_faults()
        self._start_mail()
        if options.pacs == "orthanc":
            self._start_orthanc(files)
        else:
            self._start_embedded(files)
        self._start_ehr(clients)
        config = self._prepare_app(clients) if options.with_app else None
        wait_until(self._pacs_answers, self._children, "PACS")
        wait_until(lambda: _healthy(addresses.ehr), self._children, "EHR")
        if config is not None:
            self._start("app", "smartapp.cli", "--config", str(config), "serve", clock=True)
            self._start("worker", "smartapp.cli", "--config", str(config), "worker", clock=True)
            wait_until(lambda: _healthy(addresses.app), self._children, "app")
            self._start_ohif(config)
        apps = self._start_sample_app() if config is not None else ()
        self._check()
        return announce(addresses, self._world, clients, apps, options.data)

    def stay(self) -> None:
        """Returns never: raises StartError as soon as a part has ended."""
        while True:
            self._check()
            time.sleep(_LOOK_EVERY)

    def stop(self) -> None:
        """Ends every part; nothing is left when it returns."""
        end(self._children)

    def _check(self) -> None:
        for child in self._children:
            child.check()

    def _log(self, name: str) -> Path:
        return self._options.data / "logs" / f"{name}.log"

    def _start(self, name: str, module: str, *arguments: str, clock: bool = False) -> None:
        """`clock`: the part's time can be shifted."""
        command = [sys.executable, "-m", module, *arguments]
        environment = {SHIFT_FILE: str(self._clock)} if clock else {}
        self._children.append(start(name, command, self._log(name.lower()), environment))

    def _start_faults(self) -> None:
        ports = self._addresses.ports
        relays = [f"ehr:{ports.ehr}:{ports.ehr_behind}"]
        relays += [f"pacs:{port}:{behind}" for port, behind in zip(ports.pacs, ports.pacs_behind, strict=True)]
        told = ["--port", str(ports.faults), "--clock", str(self._clock)]
        self._start("faults", "smartapp.sandbox.faults", *told, *(f"--relay={relay}" for relay in relays))
        wait_until(lambda: requests.get(self._addresses.faults, timeout=_TIMEOUT).ok, self._children, "faults")

    def _start_mail(self) -> None:
        ports = self._addresses.ports
        told = ["--smtp-port", str(ports.smtp), "--inbox-port", str(ports.inbox)]
        self._start("mail", "smartapp.sandbox.mail", *told)
        wait_until(lambda: requests.get(self._addresses.inbox, timeout=_TIMEOUT).ok, self._children, "mail")

    def _start_embedded(self, files: Path) -> None:
        path = self._options.data / "pacs" / "config.json"
        config = write_embedded_pacs(path, self._addresses, self._world, self._credentials, files)
        port = str(self._addresses.ports.pacs_behind[0])
        self._start("PACS", "smartapp.sandbox.pacs", "--port", port, "--config", str(config))

    def _start_orthanc(self, files: Path) -> None:
        installation = find_orthanc()
        if installation is None:
            raise StartError(f"--pacs orthanc: {missing()}")
        for hospital, port in zip(self._addresses.hospitals, self._addresses.ports.pacs_behind, strict=True):
            folder = self._options.data / "pacs" / hospital
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            storage = filled_storage(installation, files, hospital, folder / "storage")
            name = f"{hospital} {os.getpid()}"
            orthanc = Orthanc(name, port, self._credentials.pacs_user, self._credentials.pacs_password)
            self._children.append(start_orthanc(installation, orthanc, storage, folder))

    def _pacs_answers(self) -> bool:
        auth = (self._credentials.pacs_user, self._credentials.pacs_password)
        return all(
            requests.get(f"{self._addresses.dicomweb(hospital)}/studies?limit=1", auth=auth, timeout=_TIMEOUT).ok
            for hospital in self._addresses.hospitals
        )

    def _start_ehr(self, clients: tuple[EhrClient, ...]) -> None:
        path = self._options.data / "ehr" / "config.json"
        config = write_ehr(path, self._addresses, self._world, clients, self._credentials, self._options.fhir_store)
        if self._options.fhir_store:
            load = [sys.executable, "-m", "smartapp.sandbox.ehr.load", "--config", str(config)]
            load += ["--hospital", self._addresses.hospitals[0], "--store", self._options.fhir_store]
            run("filling the FHIR store", load, self._log("load"))
        port = str(self._addresses.ports.ehr_behind)
        self._start("EHR", "smartapp.sandbox.ehr", "--port", port, "--config", str(config), clock=True)

    def _start_ohif(self, config: Path) -> None:
        if find_ohif() is not None:
            self._start("OHIF", "smartapp.cli", "--config", str(config), "ohif")
            wait_until(lambda: _healthy(self._addresses.ohif), self._children, "OHIF")

    def _start_sample_app(self) -> tuple[AppClient, ...]:
        """Registers the apps, and starts the one that has pages."""
        apps = register_apps(self._addresses, self._options.data / "clients")
        path = self._options.data / "sample-app" / "config.json"
        config = write_sample_app(path, self._addresses, apps[0])
        told = ["--host", sample_host(), "--port", str(self._addresses.ports.sample), "--config", str(config)]
        self._start("sample app", "smartapp.sandbox.sample_app", *told)
        wait_until(lambda: _healthy(self._addresses.sample_app), self._children, "sample app")
        return apps

    def _prepare_app(self, clients: tuple[EhrClient, ...]) -> Path:
        """The product's configuration, keys and tables; returns its smartapp.toml."""
        folder = self._options.data / "app"
        config = write_app(folder, self._addresses, self._world, clients, self._credentials, self._options.database)
        cli = [sys.executable, "-m", "smartapp.cli", "--config", str(config)]
        log = self._log("app-setup")
        if not (folder / "keys").is_dir():
            run("smartapp keys init", [*cli, "keys", "init"], log)
        run("smartapp db upgrade", [*cli, "db", "upgrade"], log)
        return config


def _healthy(base: str) -> bool:
    return requests.get(f"{base}/healthz", timeout=_TIMEOUT).ok


@contextmanager
def ending_with_parent() -> Iterator[None]:
    """Inside, SIGTERM, SIGINT and the parent's death raise Stopped; after it, signals do not disturb the clean-up."""
    parent = os.getppid()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _raise_stopped)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    try:
        yield
    finally:
        _ignore_signals()


def _raise_stopped(_number: int, _frame: FrameType | None) -> None:
    _ignore_signals()
    raise Stopped


def _ignore_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY)
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def data_folder(chosen: Path | None) -> Iterator[Path]:
    """The folder for all files: the chosen one, which is kept, or a temporary one, which is removed."""
    if chosen is not None:
        chosen.mkdir(parents=True, exist_ok=True)
        yield chosen.resolve()
        return
    folder = Path(tempfile.mkdtemp(prefix="smartapp-sandbox-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
