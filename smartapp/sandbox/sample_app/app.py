"""The app, put together."""

from flask import Flask

from smartapp.sandbox.sample_app import connecting, reading
from smartapp.sandbox.sample_app.browser import install
from smartapp.sandbox.sample_app.model import Config


def create_sample_app(config: Config) -> Flask:
    """The app; what it knows of its visitors is in memory."""
    app = Flask(__name__)
    install(app, config)
    app.register_blueprint(connecting.blueprint)
    app.register_blueprint(reading.blueprint)
    return app
