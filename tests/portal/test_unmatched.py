"""What a patient is told of withheld studies: that staff know only when they do."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from flask.testing import FlaskClient

from smartapp.identity.model import PatientKey
from smartapp.web.parts import Parts
from tests.portal.conftest import Portal

FOREIGN = ("2.25.9001", "2.25.9002")


@dataclass
class FakeWorklist:
    """Staff were told of `queued`."""

    queued: tuple[str, ...] = ()
    asked: list[tuple[PatientKey, tuple[str, ...]]] = field(default_factory=list)

    def told(self, patient: PatientKey, studies: tuple[str, ...]) -> bool:
        self.asked.append((patient, studies))
        return set(studies) <= set(self.queued)


@pytest.fixture
def worklist(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> FakeWorklist:
    made = FakeWorklist()
    parts: Any = portal.app.extensions["smartapp.parts"]
    assert isinstance(parts, Parts)
    monkeypatch.setitem(portal.app.extensions, "smartapp.parts", Parts(**{**vars(parts), "worklist": made}))
    return made


@pytest.mark.promise("A2")
@pytest.mark.parametrize(
    ("language", "told", "untold"),
    [
        ("en", "The hospital's records office has been told", "staff can look into it"),
        ("es", "El archivo clínico del hospital ya está avisado", "el personal del hospital puede revisar"),
    ],
)
def test_staff_were_told_is_said_only_when_they_were(
    portal: Portal, client: FlaskClient, worklist: FakeWorklist, language: str, told: str, untold: str
) -> None:
    portal.records.foreign = FOREIGN
    heard: set[str] = set()
    for worklist.queued in ((), FOREIGN[:1], FOREIGN):
        page = client.get("/my/ctx-ana/", headers={"Accept-Language": language}).text.replace("&#39;", "'")
        assert (told in page, untold in page) == (worklist.queued == FOREIGN, worklist.queued != FOREIGN)
        assert not any(uid in page for uid in FOREIGN)
        heard.add(told if told in page else untold)
    assert heard == {told, untold}
    assert {studies for _, studies in worklist.asked} == {FOREIGN}


def test_nobody_is_asked_where_all_is_matched(client: FlaskClient, worklist: FakeWorklist) -> None:
    assert client.get("/my/ctx-ana/").status_code == 200
    assert worklist.asked == []
