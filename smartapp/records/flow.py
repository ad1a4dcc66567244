"""Bytes on their way out: counted, and stopped when the right to them ends."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.consent.model import Permit
from smartapp.errors import AuditUnavailable

CHECK_BYTES: Final = 4 * 2**20
CHECK_SECONDS: Final = 1.0


class Flow:
    """One stream under a permit. The right is read again at every instance, and every 4 MiB or second in between."""

    def __init__(self, audit: AuditTrail, permit: Permit) -> None:
        self._audit = audit
        self._permit = permit
        self._bytes = 0
        self._instances = 0
        self.sent = self.begun = 0
        """Bytes and instances of this stream."""
        self._checked = time.monotonic()

    def instance(self) -> None:
        """Another instance begins. Raises PermitEnded."""
        self._check()
        self._instances += 1
        self.begun += 1

    def chunks(self, source: Iterator[bytes]) -> Iterator[bytes]:
        """`source`, each chunk counted when it is handed on. Raises PermitEnded."""
        for chunk in source:
            if self._bytes >= CHECK_BYTES or time.monotonic() - self._checked >= CHECK_SECONDS:
                self._check()
            self._bytes += len(chunk)
            self.sent += len(chunk)
            yield chunk

    def count(self) -> None:
        """Tells the trail what was sent since the last time."""
        size, self._bytes = self._bytes, 0
        instances, self._instances = self._instances, 0
        if size or instances:
            self._audit.count(self._permit.disclosure_id, instances=instances, bytes=size)

    def _check(self) -> None:
        self.count()
        self._checked = time.monotonic()
        self._permit.check()


@contextmanager
def flowing(audit: AuditTrail, permit: Permit) -> Iterator[Flow]:
    """A stream under `permit`: begun in the trail before its first byte, and ended as complete or cut short.

    Raises AuditUnavailable and PermitEnded, as `Flow` does.
    """
    audit.begin_stream(permit.disclosure_id)
    flow = Flow(audit, permit)
    complete = False
    try:
        yield flow
        flow.count()
        complete = True
    finally:
        try:
            if not complete:
                flow.count()
        finally:
            audit.end_stream(permit.disclosure_id, complete=complete)
            if not complete:
                _say_cut(audit, permit, flow)


def _say_cut(audit: AuditTrail, permit: Permit, flow: Flow) -> None:
    """Writes down at once what had left (threats A21, F23); the outcome of the whole disclosure comes when it closes.

    A trail that cannot be written now changes nothing: nothing leaves any more.
    """
    principal = permit.principal
    detail = {"disclosure": permit.disclosure_id, "bytes": str(flow.sent), "instances": str(flow.begun)}
    with suppress(AuditUnavailable):
        audit.record(
            Event(
                "disclosure.aborted",
                patient=permit.patient,
                principal_ref=principal.person_id,
                session_ref=principal.session_id,
                detail=detail,
            )
        )
