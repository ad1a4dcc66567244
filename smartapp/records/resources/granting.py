"""What a grant says of itself, for whoever reads under it."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from smartapp.audit.usage import UsageReader
from smartapp.clock import Clock
from smartapp.consent.aliases import shown_uid
from smartapp.consent.fhir_consent import Stated, consent_of
from smartapp.consent.grants.model import Grant
from smartapp.consent.grants.service import Grants
from smartapp.consent.model import AppPrincipal
from smartapp.consent.receipts import Parties
from smartapp.db.unit import Database
from smartapp.identity.apps.service import Apps
from smartapp.records.resources.disclosed import audit_event, event_id
from smartapp.records.resources.model import PlainItem
from smartapp.settings import Settings


class GrantRecord:
    """Looks the grant of an app up. One per process; safe to share by threads."""

    def __init__(
        self, settings: Settings, database: Database, grants: Grants, apps: Apps, usage: UsageReader, clock: Clock
    ) -> None:
        self._settings = settings
        self._usage = usage
        self._database = database
        self._grants = grants
        self._apps = apps
        self._clock = clock

    def fhir_user(self, principal: AppPrincipal) -> str:
        """Who granted, as the FHIR reference at the hospital; empty when there is no such grant."""
        found = self._find(principal)
        return found.fhir_user if found is not None else ""

    def consents(self, principal: AppPrincipal) -> tuple[PlainItem, ...]:
        """The grant as FHIR Consent, with studies under the UIDs that the app is shown, and without the receipt: that
        is the patient's.
        """
        grant = self._find(principal)
        if grant is None:
            return ()
        chosen = grant.terms.chosen
        shown = frozenset(shown_uid(principal, uid) for uid in chosen) if chosen is not None else None
        told = consent_of(replace(grant, terms=replace(grant.terms, chosen=shown)), self._stated(grant))
        told.pop("sourceAttachment")
        id_ = hashlib.sha256(f"Consent\x1f{grant.id}".encode()).hexdigest()[:40]
        head = {"resourceType": told.pop("resourceType"), "id": id_}
        return (PlainItem(id_, {**head, **told}, updated=grant.changed_at),)

    def events(self, principal: AppPrincipal, studies: Mapping[str, str]) -> tuple[PlainItem, ...]:
        """What was disclosed under the grant as AuditEvents, newest first. `studies` are those that may be named: by
        their UIDs our ids.
        """
        app = self._apps.find(principal.patient.provider, principal.client_id)
        client = (principal.client_id, app.metadata.client_name if app is not None else "")
        patient = principal.patient
        return tuple(
            PlainItem(
                event_id(each),
                audit_event(each, patient.provider, client, patient.patient_id, studies.get(each.study or "")),
                updated=each.at,
            )
            for each in self._usage.openings(patient, principal.grant_id, studies)
        )

    def _find(self, principal: AppPrincipal) -> Grant | None:
        return self._grants.find(self._database, principal.grant_id)

    def _stated(self, grant: Grant) -> Stated:
        now = self._clock.now()
        provider, app = self._settings.provider(grant.provider), self._apps.find(grant.provider, grant.client_id)
        issuer = f"{self._settings.server.base_url.rstrip('/')}/{provider.id}"
        name = app.metadata.client_name if app is not None else ""
        return Stated(grant.state_at(now), Parties(provider.name, provider.jurisdiction, issuer, name), now)
