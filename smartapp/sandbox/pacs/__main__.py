"""`python -m smartapp.sandbox.pacs --port N --config FILE`: the embedded PACS as a process of its own."""

import argparse
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from smartapp.sandbox.pacs.embedded.app import create_app
from smartapp.sandbox.pacs.embedded.config import load_config


class _Server(BaseApplication):
    """gunicorn with one worker, whose threads share the index, on loopback."""

    def __init__(self, app: Flask, port: int) -> None:
        self._app = app
        self._port = port
        super().__init__()

    def load_config(self) -> None:
        options = {
            "bind": f"127.0.0.1:{self._port}",
            "worker_class": "gthread",
            "threads": 16,
            "graceful_timeout": 2,
            # The socket's path is common to all instances on a machine.
            "control_socket_disable": True,
            "loglevel": "warning",
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._app


def main() -> None:
    """Serves until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m smartapp.sandbox.pacs", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--config", type=Path, required=True)
    arguments = parser.parse_args()
    _Server(create_app(load_config(arguments.config)), arguments.port).run()


if __name__ == "__main__":
    main()
