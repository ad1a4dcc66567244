"""Audit before disclosure, and sealed data that was changed: over the whole application."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartapp.web.rules import Rule
from tests.dicomweb_upstream.archive import Asked, Reply
from tests.dicomweb_upstream.objects import file_of
from tests.threats.addresses import addresses, bearer
from tests.threats.composed import Browser, Composed
from tests.threats.holding import holder
from tests.threats.hospital import CHEST

pytestmark = pytest.mark.long

INSTANCE = "/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1"


def _seen_by_others(composed: Composed) -> list[str]:
    """The kinds of the trail's rows, as another process sees them: what is committed."""
    path = str(composed.ground.database.engine.url.database)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return [row[0] for row in connection.execute("SELECT kind FROM audit_events ORDER BY seq")]


@pytest.mark.threat("P1")
def test_what_leaves_was_written_down_before_the_archive_was_asked(own: Composed) -> None:
    """Each address of a record in a session of its own; at every request to a hospital the intent is committed."""
    asked: list[list[str]] = []

    def script(_asked: Asked) -> Reply | None:
        asked.append(_seen_by_others(own))
        return None

    own.first.archive.script = script
    walker = own.signed_in()
    given_out = 0
    for address in addresses(own, walker.ctx):
        if "GET" not in address.methods or address.endpoint.split(".")[0] not in {"patient", "dicomweb"}:
            continue
        ana = own.signed_in()
        before = _seen_by_others(own)
        response = ana.open(
            address.path.replace(walker.ctx, ana.ctx), method="GET", headers=bearer(ana), buffered=False
        )
        gained = _seen_by_others(own)[len(before) :]
        body = b"".join(response.iter_encoded())
        response.close()
        if response.status_code == 200 and address.endpoint != "patient.sessions_page":
            assert "disclosure.opened" in gained, address
            given_out += len(body)
    assert given_out > 1000
    assert asked
    assert all("access.index" in kinds for kinds in asked)
    own.clock.advance(3700)
    own.ground.audit.sweep()
    kinds = _seen_by_others(own)
    assert kinds.count("disclosure.opened") == kinds.count("disclosure.closed")


@pytest.mark.threat("P1")
def test_what_an_app_gets_was_written_down_before_a_hospital_was_asked(own: Composed) -> None:
    """As for the person, over the doors for tokens: each address by an app of its own that has nothing open."""
    asked: list[list[str]] = []

    def script(_asked: Asked) -> Reply | None:
        asked.append(_seen_by_others(own))
        return None

    own.first.archive.script = script
    given_out = 0
    for number, address in enumerate(holder(own).addresses()):
        if "GET" not in address.methods or not address.endpoint.startswith(("fhir.", "dicomweb.")):
            continue
        held = holder(own)
        own.clock.advance(310)  # what it saw at first is over
        own.ground.audit.sweep()
        before = _seen_by_others(own)
        path = held.addresses()[number].path
        response = own.browser().open(path, method="GET", headers=held.bearer(), buffered=False)
        gained = _seen_by_others(own)[len(before) :]
        body = b"".join(response.iter_encoded())
        response.close()
        if response.status_code == 200 and address.rule is Rule.BEARER:
            assert "disclosure.opened" in gained, address
            given_out += len(body)
    assert given_out > 1000
    assert asked


@pytest.fixture(scope="module")
def ana(shared: Composed) -> Browser:
    return shared.signed_in()


@pytest.fixture(scope="module")
def token(ana: Browser) -> str:
    return ana.viewer_token()


@pytest.mark.threat("P10")
@settings(max_examples=40, deadline=None)
@given(which=st.integers(0), place=st.integers(0), change=st.sampled_from(["flip", "cut", "swap", "empty", "grow"]))
def test_a_changed_cache_gives_nothing_that_is_not_the_original(
    shared: Composed, ana: Browser, token: str, *, which: int, place: int, change: str
) -> None:
    """One file of the cache is damaged or put in another's place: what is given is right, or breaks off."""
    honest = [file_of(made) for made in CHEST]
    ana.look("/studies/1.2.3", token)
    files = sorted(path for path in shared.ground.settings.storage.cache_dir.rglob("*") if path.is_file())
    _damage(files[which % len(files)], files[(which + 1) % len(files)], place, change)
    for path in ("/studies/1.2.3", INSTANCE):
        status, left = ana.look(path, token)
        assert status in {200, 502, 503}
        for piece in left.split(bytes(128) + b"DICM")[1:]:
            file = bytes(128) + b"DICM" + piece
            assert any(one.startswith(file[: len(one)]) for one in honest)
    status, left = ana.look(INSTANCE, token)
    assert (status, honest[0] in left) == (200, True)


def _damage(path: Path, other: Path, place: int, change: str) -> None:
    data = bytearray(path.read_bytes())
    if change == "flip" and data:
        data[place % len(data)] ^= 1 << place % 8
    elif change == "cut":
        del data[place % (len(data) + 1) :]
    elif change == "swap":
        data = bytearray(other.read_bytes())
    elif change == "empty":
        data.clear()
    else:
        data += data[-(place % 64) - 1 :]
    path.write_bytes(data)
