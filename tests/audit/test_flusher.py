"""The thread that keeps counters fresh does so by itself, and survives a database that does not answer."""

import threading

import pytest

from smartapp.audit.flusher import Flusher
from smartapp.audit.service import AuditTrail
from smartapp.errors import AuditUnavailable
from tests.access.house import ANA, House
from tests.access.trail import disclosure


class Watched(AuditTrail):
    """Tells when it was tidied; the first time fails."""

    def __init__(self, house: House) -> None:
        super().__init__(house.database, house.keyring, house.datakeys, house.clock)
        self.tidied = threading.Semaphore(0)
        self.failures = 1

    def tidy(self) -> None:
        try:
            if self.failures:
                self.failures -= 1
                raise AuditUnavailable
            super().tidy()
        finally:
            self.tidied.release()


@pytest.mark.promise("E8")
def test_what_was_counted_is_written_without_anybody_asking(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smartapp.audit.flusher._EVERY", 0.01)
    trail = Watched(house)
    disclosure_id = trail.open_disclosure(
        house.principal(),
        ANA,
        None,
        extent="summary",
        authority="patient",
        action="list",
        purpose="PATRQT",
        request_id="r",
    )
    trail.begin_stream(disclosure_id)
    trail.count(disclosure_id, instances=1, bytes=10)
    trail.end_stream(disclosure_id, complete=True)
    flusher = Flusher(trail)
    flusher.start()
    try:
        assert trail.tidied.acquire(timeout=20)
        assert trail.tidied.acquire(timeout=20)
        assert disclosure(house, disclosure_id).bytes == 10
        trail.count(disclosure_id, bytes=5)
    finally:
        flusher.stop()
    assert (disclosure(house, disclosure_id).bytes, disclosure(house, disclosure_id).holders) == (15, 0)
