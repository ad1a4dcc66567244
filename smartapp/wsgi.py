"""The way in for gunicorn: `smartapp.wsgi:app`, configured by the file that SMARTAPP_CONFIG names."""

import atexit
import os
from pathlib import Path

from smartapp.bootstrap import build_house, lay_ground
from smartapp.clock import clock_of
from smartapp.settings import load

# Each worker imports this after its fork: threads and child processes do not survive one.
_settings = load(Path(os.environ["SMARTAPP_CONFIG"]), os.environ)
_house = build_house(lay_ground(_settings, clock_of(_settings.environment, os.environ)))
_house.start()
atexit.register(_house.close)
app = _house.app
