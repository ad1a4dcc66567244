"""npm `fhirclient`, unmodified, as a public app that is a page of an origin of its own, in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.clients.grant import granted
from tests.clients.house import House
from tests.clients.site import Site, serving
from tests.clients.walk import answer, sign_in

NAME = "fhirclient in a browser"
_SCOPE = "openid fhirUser offline_access patient/*.rs"
READ = """async () => {
  const client = await FHIR.oauth2.ready()
  const search = 'ImagingStudy?patient=' + client.patient.id + '&_count=2'
  const page = await client.request(search)
  const all = await client.request(search, {pageLimit: 0, flat: true})
  return {
    state: client.state.tokenResponse,
    patient: await client.patient.read(),
    user: client.user.fhirUser,
    page: {studies: page.entry.length, total: page.total},
    all: all.map(study => study.id),
    one: await client.request('ImagingStudy/' + all[0].id),
  }
}"""
REFRESH = """async () => {
  const client = await FHIR.oauth2.ready()
  const before = {...client.state.tokenResponse}
  await client.refresh()
  const studies = await client.request('ImagingStudy?patient=' + client.patient.id)
  return {before, after: client.state.tokenResponse, total: studies.total}
}"""
FETCH = """async ([url, token]) => {
  try { return (await fetch(url, token ? {headers: {Authorization: 'Bearer ' + token}} : {})).status }
  catch (error) { return error.name }
}"""
"""The status that a page's script sees, or the name of the error when the browser does not let it see one."""
REFUSED = """async () => {
  const client = await FHIR.oauth2.ready()
  try { await client.request('ImagingStudy/no-such-study') } catch (error) { return error.statusCode || error.status }
}"""
Said = dict[str, Any]


@dataclass(frozen=True)
class App:
    """The app's two pages, and what it is registered as."""

    launch: str
    home: str
    client_id: str


@pytest.fixture(scope="module")
def app(house: House, site: Site) -> App:
    """Two pages: one sends people off, the other takes them back."""
    home = site.page("home.html", "fhir-client.js")
    launch = f"{site.base}/launch.html"
    registered = house.register(NAME, redirect_uris=[home], launch_uri=launch, scope=f"launch launch/patient {_SCOPE}")
    told = {"clientId": registered["client_id"], "redirectUri": home, "pkceMode": "required"}
    site.page("launch.html", "fhir-client.js", program=f"""
        const told = {json.dumps(told)}
        const ehr = new URLSearchParams(location.search).has('launch')
        const scope = (ehr ? 'launch ' : 'launch/patient ') + {json.dumps(_SCOPE)}
        FHIR.oauth2.authorize(ehr ? {{...told, scope}} : {{...told, scope, iss: {json.dumps(house.fhir)}}})
    """)  # fmt: skip
    return App(launch, home, registered["client_id"])


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page in a browser that knows nobody."""
    context = chromium.new_context()
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


@pytest.mark.promise("B1")
@pytest.mark.promise("B3")
@pytest.mark.clause("SMART 2.2 server", "16", "17", "48", "75", "353", "355", "363", "365", "367")
def test_a_standalone_launch_reads_to_the_last_page_and_goes_on(page: Page, house: House, app: App) -> None:
    page.goto(app.launch)
    sign_in(page, house)
    answer(page, "Allow", app.home)
    said: Said = page.evaluate(READ)
    assert (said["patient"]["resourceType"], said["patient"]["id"]) == ("Patient", "ana")
    assert said["state"]["token_type"] == "Bearer"
    assert said["user"].endswith("Patient/ana")
    assert said["page"]["studies"] == 2
    assert len(set(said["all"])) == said["page"]["total"] > 2
    assert said["one"]["id"] == said["all"][0]
    refreshed: Said = page.evaluate(REFRESH)
    assert refreshed["after"]["access_token"] != refreshed["before"]["access_token"]
    assert refreshed["after"]["refresh_token"] != refreshed["before"]["refresh_token"]
    assert refreshed["total"] == said["page"]["total"]
    assert page.evaluate(REFUSED) == 404


@pytest.mark.promise("B1")
@pytest.mark.promise("B4")
@pytest.mark.clause("SMART 2.2 server", "83", "352", "361")
def test_a_launch_from_our_page_of_apps(page: Page, house: House, app: App) -> None:
    page.goto(house.said["ehr"]["portal"])
    sign_in(page, house)
    page.get_by_role("button", name="My imaging").click()
    page.wait_for_url(f"{house.said['app']['base']}/my/**")
    page.goto(house.said["app"]["apps"])
    page.get_by_role("button", name=f"Open {NAME}").click()
    answer(page, "Allow", app.home)
    said: Said = page.evaluate(READ)
    assert said["state"]["patient"] == "ana"
    assert said["patient"]["id"] == "ana"
    assert len(said["all"]) > 2


@pytest.mark.promise("B1")
@pytest.mark.clause("SMART 2.2 server", "54")
def test_a_no_reaches_the_app_as_an_error(page: Page, house: House, app: App) -> None:
    page.goto(app.launch)
    sign_in(page, house)
    answer(page, "Refuse", app.home)
    assert "error=access_denied" in page.url
    refused = page.evaluate("() => FHIR.oauth2.ready().then(() => null, error => error.message)")
    assert refused == "access_denied"


@pytest.mark.promise("B1")
@pytest.mark.clause("SMART 2.2 server", "16", "17")
def test_a_page_of_no_app_reads_discovery_and_nothing_else(page: Page, house: House, app: App, tmp_path: Path) -> None:
    token = granted(house, app.client_id, app.home)["access_token"]
    asked = [f"{house.fhir}/Patient/ana", f"{house.dicomweb}/studies"]
    with serving(tmp_path) as stranger:
        page.goto(stranger.page("page.html"))
        assert page.evaluate(FETCH, [f"{house.fhir}/.well-known/smart-configuration", ""]) == 200
        assert page.evaluate(FETCH, [f"{house.fhir}/metadata", ""]) == 200
        assert [page.evaluate(FETCH, [url, token]) for url in asked] == ["TypeError", "TypeError"]
    page.goto(app.home)
    assert [page.evaluate(FETCH, [url, token]) for url in asked] == [200, 200]
