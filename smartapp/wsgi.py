"""The way in for gunicorn: `smartapp.wsgi:app`, configured by the file that SMARTAPP_CONFIG names."""

import os
from pathlib import Path

from smartapp.bootstrap import create_app
from smartapp.settings import load

app = create_app(load(Path(os.environ["SMARTAPP_CONFIG"]), os.environ))
