"""`python -m tests.gateway.serve FILE`: the gateway under gunicorn, over the database, keys and cache of a test."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from flask import Flask
from gunicorn.app.base import BaseApplication

from smartapp.clock import SystemClock
from smartapp.db.engine import make_engine
from smartapp.db.unit import Database
from smartapp.dicomweb.core.render import RenderPool
from smartapp.security.keyring import Keyring
from smartapp.settings import Database as DatabaseSettings
from smartapp.settings import Rendering
from tests.access.house import House
from tests.gateway.app import gateway_app
from tests.records.desk import Desk


class Server(BaseApplication):
    def __init__(self, app: Flask, port: int) -> None:
        self._app = app
        self._port = port
        super().__init__()

    def load_config(self) -> None:
        options = {"bind": f"127.0.0.1:{self._port}", "worker_class": "gthread", "threads": 4, "graceful_timeout": 1}
        for name, value in {**options, "control_socket_disable": True, "loglevel": "critical"}.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._app


def main() -> None:
    told = json.loads(Path(sys.argv[1]).read_text())
    database = Database(make_engine(DatabaseSettings(told["database"])))
    house = House(database, Keyring.load(Path(told["keys"])), cast("Any", SystemClock()))
    ehr, archive = SimpleNamespace(**told["ehr"]), SimpleNamespace(url=told["archive"])
    hospital = {name: Path(v) if name.endswith("_file") else v for name, v in told["hospital"].items()}
    desk = Desk(
        house, cast("Any", ehr), cast("Any", archive), Path(told["folder"]), RenderPool(Rendering(processes=1)),
        told["base_url"], hospital,
    )  # fmt: skip
    Server(gateway_app(desk), told["port"]).run()


if __name__ == "__main__":
    main()
