"""All blueprints of the portal, for `bootstrap`."""

from typing import Final

from smartapp.portal import assets, service
from smartapp.portal.alerts import routes as alerts
from smartapp.portal.approval import routes as approval
from smartapp.portal.apps import logo
from smartapp.portal.apps import routes as apps
from smartapp.portal.copies import routes as copies
from smartapp.portal.developers import routes as developers
from smartapp.portal.openapi import routes as openapi
from smartapp.portal.patient import compare
from smartapp.portal.patient import routes as patient
from smartapp.portal.session import routes as session
from smartapp.portal.signin import routes as signin

BLUEPRINTS: Final = (
    assets.blueprint,
    service.blueprint,
    signin.blueprint,
    patient.blueprint,
    compare.blueprint,
    copies.blueprint,
    alerts.blueprint,
    session.blueprint,
    approval.blueprint,
    apps.home_blueprint,
    apps.blueprint,
    logo.blueprint,
    developers.blueprint,
    openapi.blueprint,
)
