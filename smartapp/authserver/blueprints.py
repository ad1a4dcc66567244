"""The routes of this room."""

from typing import Final

from flask import Blueprint

from smartapp.authserver.jwks import routes as jwks
from smartapp.authserver.token import routes as token
from smartapp.authserver.userinfo import routes as userinfo

BLUEPRINTS: Final[tuple[Blueprint, ...]] = (token.blueprint, userinfo.blueprint, jwks.blueprint)
