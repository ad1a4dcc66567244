"""What a grant says of itself, for whoever reads under it."""

from smartapp.consent.grants.service import Grants
from smartapp.consent.model import AppPrincipal
from smartapp.db.unit import Database


class GrantRecord:
    """Looks the grant of an app up. One per process; safe to share by threads."""

    def __init__(self, database: Database, grants: Grants) -> None:
        self._database = database
        self._grants = grants

    def fhir_user(self, principal: AppPrincipal) -> str:
        """Who granted, as the FHIR reference at the hospital; empty when there is no such grant."""
        with self._database.read() as session:
            found = self._grants.find(session, principal.grant_id)
        return found.fhir_user if found is not None else ""
