"""What every answer says to caches and browsers."""

import pytest
from flask.testing import FlaskClient

from tests.portal import fakes
from tests.portal.conftest import Portal

STUDY = f"/my/ctx-ana/studies/{fakes.CT}"
PERSONAL = ("/my/ctx-ana/", STUDY, f"{STUDY}/series/{fakes.SERIES}", f"{STUDY}/series/{fakes.SERIES}/thumbnail",
            f"{STUDY}/series/{fakes.SERIES}/instances/1.2/thumbnail", f"{STUDY}/reports/rep-1/attachments/0",
            "/my/ctx-ana/sessions", "/my/ctx-eli/", "/my/ctx-ana/studies/1.2.3")  # fmt: skip


@pytest.mark.threat("W10")
@pytest.mark.parametrize("path", PERSONAL)
def test_no_cache_keeps_anything_personal(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Cookie" in answer.headers["Vary"]


@pytest.mark.threat("W10")
@pytest.mark.parametrize("suffix", ["x.css", "sessions/x.css", f"studies/{fakes.CT}/x.js"])
def test_a_made_up_suffix_is_no_page(client: FlaskClient, suffix: str) -> None:
    answer = client.get(f"/my/ctx-ana/{suffix}")
    assert answer.status_code == 404
    assert "Ana" not in answer.text


@pytest.mark.threat("W5")
@pytest.mark.parametrize("path", [*PERSONAL, "/", "/signed-out", "/healthz", "/nowhere"])
def test_no_page_can_be_framed_or_run_foreign_script(client: FlaskClient, path: str) -> None:
    policy = client.get(path).headers["Content-Security-Policy"]
    for part in ("default-src 'none'", "frame-ancestors 'none'"):
        assert part in policy
    scripts = {part.strip() for part in policy.split(";") if part.strip().startswith(("script-src", "style-src"))}
    assert scripts == (set() if "sandbox" in policy else {"script-src 'self'", "style-src 'self'"})
    assert "unsafe" not in policy


def test_pages_hold_no_script_or_style_of_their_own(client: FlaskClient) -> None:
    for path in ("/", "/my/ctx-ana/", STUDY, "/my/ctx-ana/sessions"):
        text = client.get(path).text
        assert "<style" not in text
        assert " style=" not in text
        assert text.count("<script") == text.count('<script type="application/json"') + text.count(
            '<script type="module" src='
        )


@pytest.mark.threat("W20")
def test_a_failure_inside_shows_a_reference_and_nothing_else(portal: Portal, client: FlaskClient) -> None:
    portal.records.studies = None  # type: ignore[assignment,method-assign]  # anything that breaks a view
    answer = client.get("/my/ctx-ana/")
    assert answer.status_code == 500
    assert answer.headers["X-Request-Id"] in answer.text
    for secret in ("Traceback", "TypeError", "NoneType", ".py", "Ana"):
        assert secret not in answer.text
