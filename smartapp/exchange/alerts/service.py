"""An address for alerts: asked for, shown to be the person's, changed, removed; and the alerts themselves."""

import json
import logging
import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.db.outbox.service import Outbox
from smartapp.db.unit import Database
from smartapp.errors import BadInput, KeysUnavailable, NotFound
from smartapp.exchange.alerts.app_letters import AppLetters
from smartapp.exchange.alerts.letters import Draft, Place
from smartapp.identity.contacts.service import Contact, Contacts
from smartapp.identity.model import Principal
from smartapp.security.envelope import IntegrityError
from smartapp.settings import Settings
from smartapp.tokens.single_use import SingleUse

CODE_SECONDS: Final = 30 * 60
_KIND: Final = "alerts.address"
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Nothing that is read as something else."""
_GROUPS: Final = 3
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_LONGEST: Final = 254
_log = logging.getLogger(__name__)


class AlertsRefused(BadInput):
    """What was typed cannot be used; `code` says why: `alerts.address`, `alerts.code`, `alerts.often`."""


class Alerts:
    """The use-case. What is to be sent is written into the outbox, in the transaction that causes it."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        contacts: Contacts,
        outbox: Outbox,
        single_use: SingleUse,
        audit: AuditTrail,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._database = database
        self._contacts = contacts
        self._outbox = outbox
        self._single_use = single_use
        self._audit = audit
        self._clock = clock

    @property
    def available(self) -> bool:
        """Whether there is a mail server at all."""
        return bool(self._settings.mail.smtp_host)

    def address(self, principal: Principal) -> str | None:
        """Where the person's alerts go now."""
        with self._database.read() as session:
            contact = self._contacts.of(session, principal.person_id)
        return contact.address if contact else None

    def ask(self, principal: Principal, address: str, language: str, *, request_id: str) -> None:
        """Sends a code to `address`, in `language`: whoever reads mail there may say that it is this person's.

        Raises AlertsRefused for what is no address, and for the sixth code within an hour; NotFound without mail.
        What is answered does not depend on the address: nobody learns here who uses which.
        """
        self._require_mail()
        if len(address) > _LONGEST or not _ADDRESS.fullmatch(address):
            raise AlertsRefused("alerts.address")
        code = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(_GROUPS))
        payload = json.dumps({"address": address, "language": language}).encode()
        self._single_use.put(_KIND, _raw(principal, code), CODE_SECONDS, payload)
        draft = self._letters(principal.patient.provider, language).code(code, CODE_SECONDS // 60)

        def work(session: Session) -> bool:
            if not self._contacts.may_ask(session, principal.person_id):
                return False
            self._post(session, Contact(address, language), draft, seconds=CODE_SECONDS)
            self._record(session, principal, "alerts.asked", request_id)
            return True

        if not self._database.run(work):
            raise AlertsRefused("alerts.often")

    def confirm(self, principal: Principal, code: str, *, request_id: str) -> None:
        """The person typed the code: alerts go to its address from now on, and the address of before is told.

        A code holds 60 bits and is this person's alone: guessing it is hopeless without any counting. Raises
        AlertsRefused for a code that is wrong, used, or older than half an hour: all alike.
        """
        payload = self._single_use.take(_KIND, _raw(principal, code))
        if payload is None:
            raise AlertsRefused("alerts.code")
        said = json.loads(payload)
        fresh = Contact(said["address"], said["language"])

        def work(session: Session) -> None:
            old = self._contacts.of(session, principal.person_id)
            self._contacts.keep(session, principal.person_id, fresh)
            if old is not None and old.address != fresh.address:
                self._post(session, old, self._letters(principal.patient.provider, old.language).moved())
            self._record(session, principal, "alerts.changed", request_id)

        self._database.run(work)

    def remove(self, principal: Principal, *, request_id: str) -> None:
        """No alerts any more; the address of before is told. Without an address nothing happens."""

        def work(session: Session) -> None:
            old = self._contacts.of(session, principal.person_id)
            if old is None:
                return
            self._contacts.forget(session, principal.person_id)
            self._post(session, old, self._letters(principal.patient.provider, old.language).ended())
            self._record(session, principal, "alerts.removed", request_id)

        self._database.run(work)

    def signed_in(self, session: Session, person_id: str, provider_id: str, browser: str) -> None:
        """An alert on a new sign-in, within the write that opens the session: neither is there without the other.

        An address that cannot be read any more costs the alert, never the sign-in.
        """
        self.tell(session, person_id, provider_id, lambda letters: letters.signed_in(self._clock.now(), browser))

    def tell(self, session: Session, person_id: str, provider_id: str, draft: Callable[[AppLetters], Draft]) -> None:
        """A letter within the caller's write, in the person's language; nothing where they have no address."""
        if not self.available:
            return
        try:
            contact = self._contacts.of(session, person_id)
        except (IntegrityError, KeysUnavailable) as error:
            _log.warning("no alert could be written: %s", error.code)
            return
        if contact is not None:
            self._post(session, contact, draft(self._letters(provider_id, contact.language)))

    def _require_mail(self) -> None:
        if not self.available:
            raise NotFound

    def _letters(self, provider_id: str, language: str) -> AppLetters:
        provider = self._settings.provider(provider_id)
        return AppLetters(language, Place(provider.name, provider.timezone, self._settings.server.base_url))

    def _post(self, session: Session, contact: Contact, draft: Draft, *, seconds: int | None = None) -> None:
        """`seconds`: after that the letter is of no use, and is not sent."""
        not_after = (self._clock.now() + timedelta(seconds=seconds)).isoformat() if seconds else None
        letter = {
            "to": contact.address,
            "language": contact.language,
            "subject": draft.subject,
            "text": draft.text,
            "not_after": not_after,
        }
        self._outbox.put(session, "mail", json.dumps(letter).encode())

    def _record(self, session: Session, principal: Principal, kind: str, request_id: str) -> None:
        event = Event(
            kind,
            patient=principal.patient,
            principal_ref=principal.person_id,
            session_ref=principal.session_id,
            request_id=request_id,
        )
        self._audit.record(event, session=session)


def _raw(principal: Principal, code: str) -> str:
    """As it was typed: small letters, spaces and missing dashes do not matter."""
    plain = re.sub(r"[^A-Z0-9]", "", code.upper()[:64])
    return f"{principal.person_id}:{plain}"
