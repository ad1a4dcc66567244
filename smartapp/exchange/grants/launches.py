"""Launching an app from our own pages: a value that counts once (SMART App Launch 2.2, EHR launch)."""

import json
from typing import Final

from smartapp.consent.aliases import study_id
from smartapp.errors import NotFound, PermitEnded
from smartapp.exchange.grants.desk import Desk
from smartapp.exchange.grants.model import LaunchContext, bound_to
from smartapp.identity.apps.model import App, AppState
from smartapp.identity.model import Principal
from smartapp.ids import new_secret

LAUNCH_SECONDS: Final = 300.0
_KIND: Final = "app-launch"


class Launches:
    """The use-case."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def launch_value(self, principal: Principal, app: App, study_uid: str | None, *, request_id: str) -> str:
        """The opaque `launch` for this app, person and patient, and perhaps a study; it counts once, for 5 minutes.

        NotFound for an app that cannot be launched here, or a study that the person does not see.
        """
        desk = self._desk
        if (
            app.provider != principal.patient.provider
            or app.state is not AppState.ACTIVE
            or not app.metadata.launch_uri
        ):
            raise NotFound
        if study_uid is not None and study_uid not in desk.records.known(principal, request_id).summaries:
            raise NotFound
        value = new_secret("sal")
        bound = [app.provider, app.client_id, principal.session_id, principal.context_id, study_uid]
        desk.single_use.put(_KIND, value, LAUNCH_SECONDS, json.dumps(bound).encode())
        return value

    def take_launch(self, value: str, client_id: str) -> LaunchContext | None:
        """What the launch stands for, once; None for one that is unknown, old or another app's (then it is spent as
        well), or whose session is over.
        """
        raw = self._desk.single_use.take(_KIND, value)
        if raw is None:
            return None
        provider, owner, session_id, context_id, study_uid = json.loads(raw)
        if owner != client_id:
            return None
        try:
            principal = self._desk.identity.revive(self._desk.database, session_id, context_id)
        except PermitEnded:
            return None
        context = (f"ImagingStudy/{study_id(provider, study_uid)}",) if study_uid else ()
        return LaunchContext(principal.patient, bound_to(principal), context)
