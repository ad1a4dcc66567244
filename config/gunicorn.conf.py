"""As `smartapp serve`, for `gunicorn -c`, from the file SMARTAPP_CONFIG names."""  # noqa: INP001 -- gunicorn reads it

import os
from pathlib import Path

from smartapp.cli import gunicorn_settings
from smartapp.settings import load

globals().update(gunicorn_settings(load(Path(os.environ["SMARTAPP_CONFIG"]), os.environ)))
