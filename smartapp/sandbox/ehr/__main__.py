"""`python -m smartapp.sandbox.ehr --port N --config FILE`: serve until SIGTERM or SIGINT."""

import argparse
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from smartapp.sandbox.ehr.app import create_app
from smartapp.sandbox.ehr.config import ConfigError, load_config
from smartapp.sandbox.world import build_world

# One worker, because the memory is one; many threads, because they wait most of the time.
SETTINGS: dict[str, Any] = {
    "workers": 1,
    "worker_class": "gthread",
    "threads": 32,
    "graceful_timeout": 3,
    "keepalive": 15,
    "loglevel": "warning",
    "control_socket_disable": True,
}


class _Server(BaseApplication):
    def __init__(self, app: Flask, port: int) -> None:
        self._flask = app
        self._port = port
        super().__init__()

    def load_config(self) -> None:
        for name, value in {**SETTINGS, "bind": f"127.0.0.1:{self._port}"}.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._flask


def main() -> None:
    """Read the command line and serve; exits with a sentence if the configuration cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m smartapp.sandbox.ehr")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--config", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        app = create_app(load_config(arguments.config), build_world())
    except ConfigError as error:
        parser.error(str(error))
    _Server(app, arguments.port).run()


if __name__ == "__main__":
    main()
