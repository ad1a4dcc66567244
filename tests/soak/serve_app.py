"""`python -m tests.soak.serve_app FILE`: the whole application under gunicorn, by settings that a test wrote down."""

import pickle
import sys
from pathlib import Path

from smartapp.bootstrap import build_house, lay_ground
from smartapp.clock import SystemClock
from smartapp.settings import Settings
from tests.gateway.serve import Server


def main() -> None:
    settings = pickle.loads(Path(sys.argv[1]).read_bytes())  # noqa: S301 - written by the test that starts this
    assert isinstance(settings, Settings)
    house = build_house(lay_ground(settings, SystemClock()))
    Server(house.app, settings.server.port).run()


if __name__ == "__main__":
    main()
