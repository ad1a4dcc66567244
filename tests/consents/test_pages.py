"""What patients read of the Consents that they have on file, where they allow an app and where they look at it."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest

from smartapp.exchange.grants.model import TermsRefused
from tests.consent.directives.made import OPT_OUT, TYPES, consent
from tests.exchange.conftest import office  # noqa: F401 -- a fixture
from tests.exchange.desk import Office, some_terms
from tests.fhir_upstream.fake_fhir import fhir, study

pytestmark = pytest.mark.promise("B5")
ASK = "To change that, ask the hospital's medical records office."
OLD = consent({"type": "deny", "dataPeriod": {"end": "2020-12-31"}}, id="no-old-ones")


def told(office: Office, *consents: Any) -> None:  # noqa: F811
    """Two studies, one of them old, and what is on file; the next look is a new one."""
    record = office.composed.first.records["ana"]
    record.studies[:] = [
        study("i1", "1.2.3", "Patient/ana", started="2026-09-17"),
        study("i2", "1.5", "Patient/ana", started="2019-03-02"),
    ]
    record.consents[:] = consents
    office.composed.clock.advance(121)


def test_the_preview_leaves_out_what_is_kept_and_counts_it(office: Office) -> None:  # noqa: F811
    _, ana = office.someone()
    told(office, OLD)
    found = office.grants.preview(ana, some_terms(), client_id="app-1")
    assert [each.uid for each in found.studies] == ["1.2.3"]
    assert (found.kept.studies, found.kept.reports, found.kept.everything, found.kept.unread) == (1, 0, False, False)
    told(office)
    free = office.grants.preview(ana, some_terms(), client_id="app-1")
    assert ({each.uid for each in free.studies}, bool(free.kept)) == ({"1.2.3", "1.5"}, False)


def test_everything_kept_and_reports_kept_are_said_as_such(office: Office) -> None:  # noqa: F811
    _, ana = office.someone()
    told(office, consent(rule=OPT_OUT))
    found = office.grants.preview(ana, some_terms(), client_id="app-1")
    assert (found.studies, found.reports, found.kept.everything) == ((), 0, True)
    told(office, consent({"type": "deny", "class": [{"system": TYPES, "code": "DiagnosticReport"}]}))
    found = office.grants.preview(ana, some_terms(), client_id="app-1")
    assert (len(found.studies), found.reports, found.kept.reports, found.kept.studies) == (2, 0, 1, 0)


def test_what_cannot_be_read_is_said_to_be_so(office: Office) -> None:  # noqa: F811
    _, ana = office.someone()
    told(office)
    office.composed.first.ehr.server.at("/fhir/Consent", fhir({}, 500))
    found = office.grants.preview(ana, some_terms(), client_id="app-1")
    assert (found.studies, found.reports, found.kept.unread) == ((), 0, True)
    assert len(office.parts.records.studies(ana, "r").studies) == 2


def test_what_is_kept_is_not_written_into_a_grant_whose_scope_would_name_it(office: Office) -> None:  # noqa: F811
    _, ana = office.someone()
    told(office, OLD)
    issued = office.redeem(office.approve(ana, chosen=frozenset({"1.2.3", "1.5"}), future=False))
    assert office.the_grant(ana).terms.chosen == frozenset({"1.2.3"})
    assert "1.5" not in issued.scope
    with pytest.raises(TermsRefused, match="nothing-now"):
        office.approve(ana, chosen=frozenset({"1.5"}), future=False)


def test_the_pages_say_it_in_words(office: Office) -> None:  # noqa: F811
    browser, ana = office.someone()
    told(office)
    office.approve(ana)
    grant = office.the_grant(ana)
    path = f"/my/{browser.ctx}/apps/{grant.id}/"
    before = browser.get(path)
    assert (before.status_code, "consent on file" in before.text) == (200, False)
    told(office, OLD)
    page = unescape(browser.get(path).text)
    assert "A consent on file at the hospital keeps 1 examination from the app." in page
    assert ASK in page
    told(office, consent(rule=OPT_OUT))
    assert "keeps this whole record from the app" in browser.get(path).text
    spanish = browser.get(path, headers={"Accept-Language": "es"}).text
    assert "consentimiento" in spanish
