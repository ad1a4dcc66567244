from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from smartapp.clock import SystemClock
from smartapp.consent.model import AnyPermit, IndexPermit, Permit
from smartapp.dicomweb.upstream.service import PacsReader
from smartapp.errors import UpstreamError, UpstreamRefused
from smartapp.outbound.service import Outbound
from smartapp.settings import Provider, Upstreams
from tests.dicomweb_upstream.archive import Archive, running_archive


@pytest.fixture
def archive() -> Iterator[Archive]:
    with running_archive() as running:
        yield running


@dataclass
class Tokens:
    """A TokenSource: the tokens to give, one after the other, and those that were rejected."""

    given: list[str] = field(default_factory=lambda: ["token-1", "token-2"])
    dropped: list[str] = field(default_factory=list)

    def bearer(self, permit: AnyPermit) -> str:  # noqa: ARG002 - as TokenSource says
        if not self.given:
            raise UpstreamRefused
        return self.given[0]

    def rejected(self, permit: AnyPermit, token: str) -> None:  # noqa: ARG002 - as TokenSource says
        self.dropped.append(token)
        self.given.remove(token)


@dataclass
class Alarms:
    rung: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __call__(self, permit: Permit | IndexPermit, code: str) -> None:  # noqa: ARG002 - as Alarm says
        self.rung.append(code)

    def fault(self, provider: str, error: UpstreamError) -> None:  # noqa: ARG002 - as Alarm says
        self.faults.append(error.code)

    def preamble(self, provider: str) -> None:
        self.faults.append(f"preamble {provider}")


def provider(dicomweb: str, **more: object) -> Provider:
    return Provider(
        id="st-elsewhere", name="St. Elsewhere", iss="http://ehr.invalid", trusted_origins=(), client_id="c",
        client_auth="none", scopes=(), dicomweb=dicomweb, mrn_systems=("urn:mrn", "urn:old"),
        timezone="America/Chicago", issuer_of_patient_id="ST-ELSEWHERE", **more,  # type: ignore[arg-type]  # as named
    )  # fmt: skip


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def alarms() -> Alarms:
    return Alarms()


@pytest.fixture
def upstreams() -> Upstreams:
    return Upstreams(connect_timeout=1.0, read_timeout=0.4, total_timeout=3.0)


@pytest.fixture
def outbound(upstreams: Upstreams) -> Outbound:
    return Outbound(upstreams, SystemClock(), sleep=lambda _seconds: None)


@pytest.fixture
def reader(archive: Archive, tokens: Tokens, alarms: Alarms, outbound: Outbound, upstreams: Upstreams) -> PacsReader:
    return PacsReader(provider(archive.url), outbound, tokens, upstreams, alarms)
