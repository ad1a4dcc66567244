"""A database that is busy while an answer is being finished: nothing leaves, and it is said as what passes."""

from __future__ import annotations

import pytest

from smartapp.errors import DatabaseBusy
from tests.fhir_facade.app import Clinic
from tests.threats.composed import BASE


@pytest.mark.promise("E8")
@pytest.mark.threat("F13")
@pytest.mark.parametrize("path", ["/fhir/Patient/ana", "/fhir/ImagingStudy", "/dicomweb/studies"])
def test_what_cannot_be_counted_is_not_given(own: Clinic, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = own.app()
    address = f"{BASE}/st-elsewhere{path}"
    given = app.get(address)
    assert given.status_code == 200

    def add(*_counted: object) -> None:
        raise DatabaseBusy

    monkeypatch.setattr(own.parts.limits, "add", add)
    answer = app.get(address)
    assert answer.status_code == 503
    assert "database-busy" in answer.text
    assert "1.2.3" not in answer.text
    assert "Canary" not in answer.text
    assert answer.headers["Cache-Control"] == given.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
