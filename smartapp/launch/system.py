"""The tokens that hospitals give us as a backend service: one for each, fetched once for all workers and patients.

A token of these reaches every patient of the hospital. It is handed out by the keeper alone, for a grant that stands on
it.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Final, NoReturn

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.db.unit import Database
from smartapp.errors import UpstreamDown, UpstreamError, UpstreamRefused
from smartapp.ids import new_id
from smartapp.launch import store
from smartapp.launch.ehrs import Ehr, Ehrs
from smartapp.launch.model import SystemAnswer
from smartapp.launch.pace import LEASE, YOUNG, is_due, looked, pause
from smartapp.launch.refusals import severity
from smartapp.launch.store import Held
from smartapp.launch.system_request import No, ask_system
from smartapp.launch.vault import Vault
from smartapp.security.envelope import IntegrityError

REFUSED: Final = timedelta(minutes=5)
"""How long nobody asks again after it said no: what an operator mends is not mended within seconds."""


@dataclass(frozen=True)
class Live:
    """A token that counts, and when it was fetched (UTC)."""

    token: str = field(repr=False)
    fetched_at: datetime
    expires_at: datetime


class SystemTokens:
    """Safe to share by threads and workers. `sleep` is called between two looks at what another worker is fetching."""

    def __init__(
        self,
        ehrs: Ehrs,
        database: Database,
        vault: Vault,
        audit: AuditTrail,
        clock: Clock,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ehrs = ehrs
        self._database = database
        self._vault = vault
        self._audit = audit
        self._clock = clock
        self._sleep = sleep

    def configured(self, provider_id: str) -> bool:
        """Whether we are a backend service of this hospital."""
        return self._ehrs.of(provider_id).system is not None

    def current(self, provider_id: str) -> Live:
        """The token. Raises UpstreamRefused while the EHR refuses us one, UpstreamDown, UpstreamSlow or another
        Upstream error when it gives no word.
        """
        ehr = self._ehrs.of(provider_id)
        if ehr.system is None:
            raise UpstreamRefused
        return looked(lambda: self._fresh(ehr), self._sleep)

    def rejected(self, provider_id: str, token: str) -> None:
        """The EHR answered 401 to `token`: the next call asks for another. One that it gave a minute ago it will not
        give better: then nobody asks for a while, and the operator is told.
        """
        ehr, held, now = self._ehrs.of(provider_id), self._held(provider_id), self._clock.now()
        live = self._live(ehr, held)
        if live is None or not compare_digest(live.token, token):
            return
        if now - live.fetched_at < YOUNG:
            self._refused(held, "invalid_token")
            return
        with self._database.write() as session:
            store.replace_system(session, held, {})

    def _fresh(self, ehr: Ehr) -> Live | None:
        """The token that is held, or the one after it; None: another worker is asking, look again."""
        held = self._held(ehr.provider.id)
        live = self._live(ehr, held)
        if live is not None and not is_due(live.fetched_at, live.expires_at, self._clock.now()):
            return live
        return self._next(ehr, held, live)

    def _held(self, provider_id: str) -> Held:
        with self._database.read() as session:
            return store.system(session, provider_id)

    def _live(self, ehr: Ehr, held: Held) -> Live | None:
        """The token that is held, unless its time is over. One that was asked for as another client, or for other
        scopes, does not open: the configuration was changed.
        """
        if held.sealed is None or held.fetched_at is None or held.expires_at is None:
            return None
        if self._clock.now() >= held.expires_at:
            return None
        try:
            token = self._vault.open_system(_bound(ehr), held.version, held.sealed)
        except IntegrityError:
            return None
        return Live(token, held.fetched_at, held.expires_at)

    def _next(self, ehr: Ehr, held: Held, live: Live | None) -> Live | None:
        """The next token, or the present one while it lives; None: another worker is asking, look again."""
        now = self._clock.now()
        if held.not_before is not None and now < held.not_before:
            if live is None:
                _not_yet(held, held.not_before - now)
            return live
        owner = new_id("lease")
        with self._database.write() as session:
            mine = store.lease_system(session, held, owner=owner, now=now, until=now + LEASE)
        if not mine:
            return live
        try:
            answer = ask_system(self._ehrs, ehr)
        except UpstreamError as error:
            self._hold_off(held, owner, error.retry_after)
            if live is None:
                raise
            return live
        if isinstance(answer, No):
            self._refused(held, answer.error)
            raise UpstreamRefused
        return self._saved(ehr, held, answer)

    def _saved(self, ehr: Ehr, held: Held, answer: SystemAnswer) -> Live:
        now = self._clock.now()
        live = Live(answer.access_token, now, now + timedelta(seconds=answer.expires_in))
        sealed = self._vault.seal_system(_bound(ehr), held.version + 1, live.token)
        values = {"sealed": sealed, "fetched_at": live.fetched_at, "expires_at": live.expires_at}
        lacking = sorted(set(ehr.provider.system_scopes) - set(answer.scopes))
        detail = {"seconds": str(answer.expires_in), **({"lacking": " ".join(lacking)} if lacking else {})}
        with self._database.write() as session:
            store.replace_system(session, held, values)
            self._audit.record(Event("smart.system.token", detail=detail, provider=held.provider), session=session)
        return live

    def _hold_off(self, held: Held, owner: str, retry_after: int | None) -> None:
        with self._database.write() as session:
            store.release_system(session, held, owner=owner, not_before=self._clock.now() + pause(retry_after))

    def _refused(self, held: Held, error: str) -> None:
        """What is held ends with it. It is said once, by whoever was first."""
        kind = "smart.system.refused"
        event = Event(kind, severity(kind), detail={"error": error}, provider=held.provider)
        with self._database.write() as session:
            if store.replace_system(session, held, {"refused": True, "not_before": self._clock.now() + REFUSED}):
                self._audit.record(event, session=session)


def _not_yet(held: Held, wait: timedelta) -> NoReturn:
    if held.refused:
        raise UpstreamRefused
    raise UpstreamDown("ehr-token", retry_after=int(wait.total_seconds()) + 1)


def _bound(ehr: Ehr) -> str:
    provider = ehr.provider
    return json.dumps([provider.id, provider.iss, provider.system_client_id, *provider.system_scopes])
