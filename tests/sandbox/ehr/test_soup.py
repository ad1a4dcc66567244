"""Whatever is sent, the EHR answers in the surface's own form, and never with a fault of its own."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from smartapp.sandbox.ehr.app import create_app
from smartapp.sandbox.ehr.config import parse_config
from smartapp.sandbox.ehr.fhir.parameters import PARAMETERS
from smartapp.sandbox.ehr.site import EXTENSION, Site
from smartapp.sandbox.ehr.state import Grant
from smartapp.sandbox.world import build_world
from tests.sandbox.ehr.process import REDIRECT, configuration

NAMES = [
    "client_id", "redirect_uri", "response_type", "scope", "state", "aud", "launch", "code_challenge",
    "code_challenge_method", "grant_type", "code", "code_verifier", "refresh_token", "client_secret",
    "client_assertion", "client_assertion_type", "token",
]  # fmt: skip
VALUES = ["other", "secretive", "nightly", REDIRECT, "code", "S256", "authorization_code", "refresh_token", "eyJ.e30.x"]
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
soup = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES) | texts, max_size=8)
dates = st.from_regex(r"\A(eq|ne|gt|lt|ge|le|sa|eb)?[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9:.+Z-]{0,14})?)?)?\Z")
names = st.sampled_from(["started", "_lastUpdated", "modality", "patient", "identifier", "_sort", "_count", "_include"])
searches = st.lists(st.tuples(names | texts, dates | texts), max_size=4)


@pytest.fixture(scope="module")
def web() -> Iterator[FlaskClient]:
    app = create_app(parse_config(configuration(1)), build_world())
    with app.test_client() as client:
        yield client


@pytest.fixture(scope="module")
def headers(web: FlaskClient) -> dict[str, str]:
    site: Site = web.application.extensions[EXTENSION]["st-elsewhere"]
    scopes = ("system/*.cruds",)
    token, _ = site.state.issue(Grant("soup", "nightly", scopes), scopes, timedelta(hours=1), refreshable=False)
    return {"Authorization": f"Bearer {token}"}


@given(form=soup, method=st.sampled_from(["GET", "POST"]))
def test_authorize(web: FlaskClient, form: dict[str, str], method: str) -> None:
    where: dict[str, Any] = {"query_string": form} if method == "GET" else {"data": form}
    answer = web.open("/st-elsewhere/oauth/authorize", method=method, **where)
    assert answer.status_code in {303, 400}
    assert "Location" not in answer.headers or form["redirect_uri"] == REDIRECT


@given(form=soup, path=st.sampled_from(["token", "introspect", "revoke"]), proof=texts)
def test_token(web: FlaskClient, form: dict[str, str], path: str, proof: str) -> None:
    header = {"Authorization": f"Basic {proof}".encode("ascii", "replace").decode()} if proof.isprintable() else {}
    answer = web.post(f"/st-elsewhere/oauth/{path}", data=form, headers=header)
    assert answer.status_code in {200, 400, 401}
    assert answer.is_json


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(type_=st.sampled_from(list(PARAMETERS)), query=searches)
def test_search(web: FlaskClient, headers: dict[str, str], type_: str, query: list[tuple[str, str]]) -> None:
    answer = web.get(f"/st-elsewhere/fhir/{type_}", query_string=MultiDict(query), headers=headers)
    assert answer.status_code in {200, 400}
    assert answer.get_json(force=True)["resourceType"] in {"Bundle", "OperationOutcome"}
