"""OHIF's own origin: only its files, one page of ours, and a policy that lets nothing else in or out."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from smartapp.errors import ConfigurationError
from smartapp.portal.ohif.app import make_ohif_app
from smartapp.settings import Ohif, load
from tests.ohif.site import DECODER, FILES, ORIGIN, SCRIPT
from tests.support.configuration import shipped
from tests.support.parts import require

REAL = Path(__file__).parents[2] / "var" / "ohif"


def site(folder: Path, tmp_path: Path) -> FlaskClient:
    settings = load(shipped(tmp_path), {})
    ohif = Ohif(ORIGIN, folder)
    return make_ohif_app(replace(settings, ohif=ohif), ohif).test_client()


@pytest.fixture
def client(folder: Path, tmp_path: Path) -> FlaskClient:
    return site(folder, tmp_path)


def directives(client: FlaskClient, path: str = "/open") -> dict[str, set[str]]:
    policy = client.get(path, base_url=ORIGIN, buffered=True).headers["Content-Security-Policy"]
    return {name: set(values) for name, *values in (part.split() for part in policy.split("; "))}


def test_the_page_starts_ohif_and_holds_nothing_of_anybody(client: FlaskClient) -> None:
    answer = client.get("/open", base_url=ORIGIN, buffered=True)
    assert answer.status_code == 200
    assert f'"/{SCRIPT}"' in answer.text
    assert "https://imaging.example.org/" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert "<script>" not in answer.text
    for path in ("/", "/viewer?StudyInstanceUIDs=1.2.3&token=x&url=https://evil.example"):
        assert client.get(path, base_url=ORIGIN, buffered=True).text == answer.text


def test_the_policy_names_every_place_that_is_spoken_to(client: FlaskClient) -> None:
    found = directives(client)
    app = "https://imaging.example.org"
    assert found["connect-src"] == {"'self'", f"{app}/ohif/", f"{app}/st-elsewhere/dicomweb/"}
    assert found["script-src"] == {"'self'", "'wasm-unsafe-eval'"}
    for name in ("default-src", "frame-ancestors", "base-uri", "form-action"):
        assert found[name] == {"'none'"}


def test_only_the_decoding_worker_may_compile(client: FlaskClient) -> None:
    paths = ["/open", "/nothing", f"/{SCRIPT}", "/app.bundle.css", "/smartapp/open.js", f"/{DECODER}"]
    loose = [path for path in paths if "'unsafe-eval'" in directives(client, path)["script-src"]]
    assert loose == [f"/{DECODER}"]
    assert directives(client, f"/{DECODER}")["connect-src"] == directives(client)["connect-src"]


def test_its_files_are_given_out_and_those_that_lead_elsewhere_are_not(client: FlaskClient) -> None:
    given = {name for name in FILES if client.get(f"/{name}", base_url=ORIGIN, buffered=True).status_code == 200}
    assert given == {SCRIPT, DECODER, "app.bundle.css", "0123456789abcdef.wasm", "assets/favicon.ico"}


@pytest.mark.threat("A9")
@pytest.mark.parametrize(
    "path", ["../secret.js", "%2e%2e/secret.js", "assets/../../secret.js", "assets/%2e%2e/app-config.js", "/etc/passwd",
             "smartapp/../app.py", "smartapp/%2e%2e/app.py", "x\0.js", "./sw.js", "//sw.js"]
)  # fmt: skip
def test_nothing_outside_its_folder_is(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/{path}", base_url=ORIGIN, follow_redirects=True, buffered=True)
    assert answer.status_code in {400, 404}
    assert "secret" not in answer.text


def test_what_keeps_its_name_with_its_content_is_kept(client: FlaskClient) -> None:
    kept = client.get(f"/{SCRIPT}", base_url=ORIGIN, buffered=True).headers["Cache-Control"]
    assert "immutable" in kept
    for path in ("app.bundle.css", "smartapp/open.js"):
        assert client.get(f"/{path}", base_url=ORIGIN, buffered=True).headers["Cache-Control"] == "no-cache"


@pytest.mark.threat("W11")
@pytest.mark.parametrize("base", ["http://evil.example", "http://127.0.0.1", "https://127.0.0.1:8124"])
def test_it_answers_to_its_own_address_only(client: FlaskClient, base: str) -> None:
    assert client.get("/open", base_url=base).status_code == 400


def test_every_answer_has_its_headers(client: FlaskClient) -> None:
    for path in ("/open", "/nothing", f"/{SCRIPT}", "/healthz"):
        headers = client.get(path, base_url=ORIGIN, buffered=True).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "Set-Cookie" not in headers
        assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.threat("W22")
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE"])
def test_nothing_can_be_sent_to_it(client: FlaskClient, method: str) -> None:
    assert client.open("/open", method=method, base_url=ORIGIN, buffered=True).status_code == 405


@pytest.mark.parametrize("spoil", ["index.html", SCRIPT, DECODER])
def test_a_folder_that_holds_no_ohif_is_refused_with_a_sentence(folder: Path, tmp_path: Path, spoil: str) -> None:
    path = folder / spoil
    path.write_text("") if spoil == "index.html" else path.unlink()
    if spoil == SCRIPT:
        (folder / "index.html").unlink()
    with pytest.raises(ConfigurationError, match=r"\[ohif\] dir"):
        site(folder, tmp_path)


def test_the_unpacked_release_is_one_that_we_know(tmp_path: Path) -> None:
    folder = require("OHIF (make ohif)", next(REAL.glob("*/dist"), None))
    client = site(folder, tmp_path)
    page = client.get("/open", base_url=ORIGIN, buffered=True).text
    (script,) = folder.glob("app.bundle.*.js")
    assert f'"/{script.name}"' in page
    assert client.get(f"/{script.name}", base_url=ORIGIN, buffered=True).status_code == 200
    assert not (folder / "ort").exists()
