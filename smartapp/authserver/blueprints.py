"""The routes of this room."""

from typing import Final

from flask import Blueprint

from smartapp.authserver.authorize import routes as authorize
from smartapp.authserver.brands import routes as brands
from smartapp.authserver.discovery import routes as discovery
from smartapp.authserver.jwks import routes as jwks
from smartapp.authserver.logout import routes as logout
from smartapp.authserver.register import routes as register
from smartapp.authserver.style import routes as style
from smartapp.authserver.token import routes as token
from smartapp.authserver.userinfo import routes as userinfo

BLUEPRINTS: Final[tuple[Blueprint, ...]] = (
    discovery.blueprint,
    brands.blueprint,
    authorize.blueprint,
    register.blueprint,
    token.blueprint,
    userinfo.blueprint,
    jwks.blueprint,
    logout.blueprint,
    style.blueprint,
)
