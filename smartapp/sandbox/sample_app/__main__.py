"""`python -m smartapp.sandbox.sample_app --host H --port N --config FILE`: serve until SIGTERM."""

import argparse
from pathlib import Path

from werkzeug.serving import run_simple

from smartapp.sandbox.sample_app.app import create_sample_app
from smartapp.sandbox.sample_app.model import read_config


def main() -> None:
    """Serves with threads: a download may run while pages are looked at."""
    parser = argparse.ArgumentParser(prog="python -m smartapp.sandbox.sample_app", description=__doc__)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--config", type=Path, required=True)
    arguments = parser.parse_args()
    app = create_sample_app(read_config(arguments.config))
    run_simple(arguments.host, arguments.port, app, threaded=True)


if __name__ == "__main__":
    main()
