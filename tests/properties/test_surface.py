"""An app's answers are a function of what its grant reaches, and what is listed is what can be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from smartapp.clock import SystemClock
from smartapp.settings import Apps, Jurisdiction
from tests.dicomweb_upstream.archive import Asked
from tests.fhir_facade.app import clinic
from tests.launch.house import ShiftedClock
from tests.properties.consents import Denial
from tests.properties.grant import SCOPES, Scope
from tests.properties.hospital import people
from tests.properties.pacs import READER, Shelf, sandbox_pacs
from tests.properties.release import LENIENT, STRICT
from tests.properties.world import AGE, World
from tests.support.databases import SqliteFiles
from tests.threats.composed import LIMITS
from tests.threats.hospital import Hospital

LONG = 10**8


class StillClock(ShiftedClock):
    """It moves when the machine moves it: what waits does not come while nobody looks."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = SystemClock().now()

    def now(self) -> Any:
        return self._begun + self.shift


@contextmanager
def world(
    files: SqliteFiles, folder: Path, rules: Jurisdiction, shelf: Shelf | None = None, **facts: Any
) -> Iterator[type[World]]:
    """The machine before a hospital with these rules; `facts` are of the first provider."""
    limits = replace(LIMITS, index_max_age=AGE)
    apps = Apps(requests_per_minute=LONG)

    provider = Hospital.provider

    def described(self: Hospital, **more: Any) -> Any:
        own = {"consent": "read", "jurisdiction": rules.id, **facts} if self.id == "st-elsewhere" else {}
        found = provider(self, **more)
        return replace(found, **{**own, "trusted_origins": (*found.trusted_origins, *own.get("trusted_origins", ()))})

    with ExitStack() as stack:
        with (
            pytest.MonkeyPatch.context() as patch
        ):  # while the house is built, and no longer: two of them stand at once
            patch.setattr(Hospital, "provider", described)
            patch.setattr("tests.threats.composed.ShiftedClock", StillClock)
            running = stack.enter_context(clinic(files, folder, upstreams=limits, apps=apps, jurisdictions=(rules,)))
        first = running.composed.first
        people(first)
        first.ehr.answer.update(expires_in=LONG)
        if shelf is not None:
            shelf.asked = lambda: first.archive.asked.append(Asked("", {}, {}))
        yield type("WorldOfOneClinic", (World,), {"clinic": running, "jurisdiction": rules, "shelf": shelf})


@pytest.fixture(scope="module")
def scripted(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[type[World]]:
    """Before an archive that answers as the model is."""
    with world(sqlite_files, tmp_path_factory.mktemp("scripted"), STRICT) as machine:
        yield machine


@pytest.fixture(scope="module")
def embedded(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[type[World]]:
    """Before the sandbox's archive, which makes its answers from files; and with other rules."""
    folder, shelf_folder = tmp_path_factory.mktemp("embedded"), tmp_path_factory.mktemp("shelf")
    secret = folder / "password"
    secret.write_text(READER[1])
    secret.chmod(0o600)
    with sandbox_pacs(shelf_folder) as (shelf, address):
        facts = {
            "dicomweb": address,
            "trusted_origins": ("{0.scheme}://{0.netloc}".format(urlsplit(address)),),
            "dicomweb_auth": "basic",
            "dicomweb_user": READER[0],
            "dicomweb_password_file": secret,
        }
        with world(sqlite_files, folder, LENIENT, shelf, **facts) as machine:
            yield machine


def run(machine: type[World], examples: int, steps: int) -> None:
    """What fails is shown as it was found: to look for the shortest way there would take many minutes."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def one_of_each(machine: type[World], scope: Scope, **terms: Any) -> None:
    """A path that a few random ones may miss: what waits comes, and what is on file keeps and is withdrawn."""
    state = machine()
    state.allow(scope, terms)
    denials = (
        Denial("me", type="ImagingStudy"), Denial(type="DiagnosticReport"), Denial(rank="N"),
        Denial(one="DiagnosticReport/r1"), Denial("me"),
    )  # fmt: skip
    for each in denials:
        told = {"actor": each.actor, "rank": each.rank, "one": each.one, "excepted": False}
        state.a_consent_is_filed("c1", each.type, (None, None), **told)
        state.a_consent_is_withdrawn(last=True)
    state.a_consent_is_filed("c1", "", (45, 150), actor="me", rank="", one="1.2.1", excepted=False)
    facts = {"category": "RAD", "words": "Something.", "performer": "dr2"}
    state.a_report_comes("r1", ["1.2.1"], 100, status="preliminary", mark="", **facts)
    state.a_report_comes("r4", ["1.2.3"], None, status="final", mark="tag", **facts)
    state.walks()
    for minutes in (61, 100, 100):
        state.time_passes(minutes)
    for id_ in ("r1", "r4"):
        state.a_report_is_read_anew(id_, "")
    state.walks()


@pytest.mark.promise("A2", "B3", "B5")
@pytest.mark.threat("P7")
def test_what_waits_and_what_is_kept_is_so_on_every_surface(scripted: type[World]) -> None:
    one_of_each(scripted, SCOPES[0])


@pytest.mark.promise("A2", "B3", "B5")
@pytest.mark.threat("P7")
def test_the_same_where_kinds_decide_and_before_the_archive_of_the_sandbox(embedded: type[World]) -> None:
    one_of_each(embedded, SCOPES[1])


@pytest.mark.promise("B3")
@pytest.mark.threat("P6", "P7")
def test_answers_follow_from_the_grant_alone_and_what_is_listed_is_read(scripted: type[World]) -> None:
    run(scripted, 3, 10)


@pytest.mark.promise("B3")
@pytest.mark.threat("P6", "P7")
def test_the_same_before_the_archive_of_the_sandbox(embedded: type[World]) -> None:
    run(embedded, 2, 5)


@pytest.mark.soak
@pytest.mark.promise("B3")
@pytest.mark.threat("P6", "P7")
def test_the_same_for_long(scripted: type[World]) -> None:
    run(scripted, 300, 40)


@pytest.mark.soak
@pytest.mark.promise("B3")
@pytest.mark.threat("P6", "P7")
def test_the_same_for_long_before_the_archive_of_the_sandbox(embedded: type[World]) -> None:
    run(embedded, 100, 40)
