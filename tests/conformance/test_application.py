"""What the whole application does as a SMART client: its addresses, its cookies, its redirects, its code."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from tests.launch.house import provider
from tests.support.databases import SqliteFiles
from tests.threats.composed import BASE, Composed, composed
from tests.threats.hospital import CHEST

ROOT = Path(__file__).parents[2]
ELSEWHERE = "https://evil.example/"


@pytest.fixture(scope="module")
def registered(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    """The application with a key of its own at a hospital."""
    folder = tmp_path_factory.mktemp("registered")
    (folder / "key").write_text(json.dumps({**ECKey.generate_key("P-384").as_dict(private=True), "kid": "ours"}))
    keyed = provider(
        "https://ehr.example.org/fhir",
        ("https://ehr.example.org",),
        client_auth="private_key_jwt",
        private_key_file=folder / "key",
    )
    with composed(sqlite_files, folder, providers=(keyed,)) as running:
        yield running


@pytest.mark.clause("SMART 2.2", "22", "291", "293", "294", "299", "301", "302", "303")
def test_the_key_set_is_there_for_everybody_and_over_tls_only(registered: Composed) -> None:
    answer = registered.browser().get("/.well-known/jwks.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert [(key["kty"], key["kid"]) for key in answer.get_json()["keys"]] == [("EC", "ours")]
    assert answer.headers["Cache-Control"]
    plain = registered.browser().get("/.well-known/jwks.json", base_url=BASE.replace("https", "http"))
    assert plain.status_code == 400


@pytest.mark.clause("SMART 2.2", "20", "21", "22", "299")
def test_what_people_are_told_to_register_is_what_we_answer_at(registered: Composed) -> None:
    table = (ROOT / "docs" / "operators.md").read_text().partition("## Register at the EHR")[2].partition("##")[0]
    told = set(re.findall(r"`\{base_url\}(/[^`]*)`", table))
    assert told == {"/launch", "/callback", "/.well-known/jwks.json"}
    fixed = {str(each) for each in registered.house.app.url_map.iter_rules() if "GET" in (each.methods or ())}
    assert told <= fixed


@pytest.mark.clause("SMART 2.2", "21", "34", "69")
def test_there_is_one_redirect_url_whichever_way_a_launch_begins(shared: Composed) -> None:
    hospital = shared.first
    for at in (shared.browser().start(hospital), shared.browser().launch(hospital).headers["Location"]):
        browser = shared.browser()
        assert f"redirect_uri={BASE.replace(':', '%3A').replace('/', '%2F')}%2Fcallback&" in at
        assert browser.back(hospital.consent(at, "ana")).status_code == 400, "not the browser that began"
    hospital.ehr.server.log.clear()
    shared.signed_in("ana")
    assert [asked.form["redirect_uri"] for asked in hospital.ehr.token_requests] == [f"{BASE}/callback"]


@pytest.mark.clause("SMART 2.2", "6")
@pytest.mark.parametrize("name", ["next", "url", "return_to", "redirect_uri", "RelayState", "continue", "error_uri"])
def test_the_redirect_url_leads_to_our_own_pages_only(shared: Composed, name: str) -> None:
    browser = shared.browser()
    right = shared.first.consent(browser.start(), "ana")
    opened = browser.back({**right, name: [ELSEWHERE]})
    assert (opened.status_code, opened.headers["Location"].startswith("/my/")) == (303, True)
    begun = shared.browser()
    for wrong in ({"error": ["access_denied"], "error_description": [ELSEWHERE]}, {"state": [ELSEWHERE]}):
        refused = begun.back({**shared.first.consent(begun.start(), "ana"), **wrong, name: [ELSEWHERE]})
        assert refused.status_code >= 400
        assert "Location" not in refused.headers
        assert ELSEWHERE not in refused.text


@pytest.mark.clause("SMART 2.2", "7")
def test_cookies_are_secure_and_hold_a_random_name_and_no_token(shared: Composed) -> None:
    browser = shared.browser()
    started = browser.open(
        "/start",
        method="POST",
        data={"provider": "st-elsewhere"},
        headers={"Origin": BASE, "Sec-Fetch-Site": "same-origin"},
    )
    opened = browser.back(shared.first.consent(started.headers["Location"], "ana"))
    browser.ctx = opened.headers["Location"].strip("/").split("/")[-1]
    answers = [started, opened, browser.my(), browser.my(f"studies/{CHEST[0].study}")]
    cookies = [cookie for answer in answers for cookie in answer.headers.getlist("Set-Cookie")]
    kinds = set()
    for cookie in cookies:
        pair, *attributes = cookie.split("; ")
        found = re.fullmatch(r"__Host-[a-z-]+=(?:(flow_|sas_)[A-Za-z0-9_-]{43})?", pair)
        assert found, "no room for anything but a random name"
        assert {"Secure", "HttpOnly"} <= set(attributes)
        assert shared.first.token("ana") not in cookie
        kinds.add(found[1])
    assert {"flow_", "sas_"} <= kinds


@pytest.mark.clause("SMART 2.2", "5")
def test_no_text_is_ever_run_as_code() -> None:
    """What could run it is not called anywhere; what pages do with it is for the tests of hostile words."""
    forbidden = {"eval", "exec", "compile", "__import__", "render_template_string", "from_string"}
    modules = {"pickle", "marshal", "shelve", "dill", "code", "codeop"}
    for path in (ROOT / "smartapp").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name(id=name)):
                    assert name not in forbidden, path
                case ast.Call(func=ast.Attribute(attr="render_template_string" | "from_string")):
                    pytest.fail(f"{path} makes a template of a text")
                case ast.Import(names=names):
                    assert modules.isdisjoint(each.name.partition(".")[0] for each in names), path
                case ast.ImportFrom(module=str(name)):
                    assert name.partition(".")[0] not in modules, path
                case ast.keyword(arg="shell", value=ast.Constant(value=True)):
                    pytest.fail(f"{path} hands a text to a shell")
