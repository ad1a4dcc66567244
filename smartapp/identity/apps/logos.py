"""The pictures by which apps are known: fetched once for each address, by nobody's browser.

Who looks at a page of ours tells an app's maker nothing by it, and the picture that the operator saw is the one that
patients see: what stands at the address later is not looked at.
"""

from datetime import datetime, timedelta
from typing import Final

from smartapp.clock import Clock
from smartapp.db.unit import Database
from smartapp.identity.apps import store
from smartapp.identity.apps.model import App, AppState
from smartapp.identity.apps.service import Apps

_SHOWN: Final = (AppState.PENDING, AppState.ACTIVE)
_AGAIN: Final = timedelta(days=1)
"""An address where nothing usable was found is tried again after so long."""


class Logos:
    """Keeps the pictures. Safe to share by threads."""

    def __init__(self, database: Database, apps: Apps, clock: Clock) -> None:
        self._database = database
        self._apps = apps
        self._clock = clock

    def due(self) -> App | None:
        """An app whose picture was not fetched yet, if there is one."""
        apps = (app for state in _SHOWN for app in self._apps.list(state=state) if app.metadata.logo_uri)
        with self._database.read() as session:
            found = ((app, store.logo(session, app.client_id, app.metadata.logo_uri)) for app in apps)
            return next((app for app, tried in found if self._is_due(tried)), None)

    def keep(self, app: App, png: bytes) -> None:
        """What was found at the app's `logo_uri`; empty: nothing usable."""
        now = self._clock.now()
        self._database.run(lambda session: store.keep_logo(session, app.client_id, app.metadata.logo_uri, png, now))

    def find(self, app: App) -> bytes | None:
        """The picture (PNG) of an app that patients may meet; None where there is none."""
        if app.state not in _SHOWN or not app.metadata.logo_uri:
            return None
        with self._database.read() as session:
            found = store.logo(session, app.client_id, app.metadata.logo_uri)
        return (found[0] if found else None) or None

    def _is_due(self, found: tuple[bytes, datetime] | None) -> bool:
        return found is None or (not found[0] and found[1] + _AGAIN <= self._clock.now())
