"""npm `dicomweb-client`, unmodified, in a page of an app's: it searches, reads metadata, and fetches frames."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from smartapp.sandbox.world import build_world
from tests.clients.grant import granted
from tests.clients.house import House
from tests.clients.site import Site

LOOK = """async ([url, token]) => {
  const client = new DICOMwebClient.api.DICOMwebClient({url, headers: {Authorization: 'Bearer ' + token}})
  const value = (row, tag) => row[tag].Value[0]
  const studies = await client.searchForStudies()
  const ct = studies.find(row => row['00080061'].Value.includes('CT'))
  const studyInstanceUID = value(ct, '0020000D')
  const series = await client.searchForSeries({studyInstanceUID})
  const seriesInstanceUID = value(series[0], '0020000E')
  const instances = await client.searchForInstances({studyInstanceUID, seriesInstanceUID, queryParams: {limit: 2}})
  const metadata = await client.retrieveSeriesMetadata({studyInstanceUID, seriesInstanceUID})
  const sopInstanceUID = value(metadata[0], '00080018')
  const one = {studyInstanceUID, seriesInstanceUID, sopInstanceUID}
  const frames = await client.retrieveInstanceFrames({...one, frameNumbers: [1]})
  const whole = await client.retrieveInstance(one)
  const hex = async buffer => Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', buffer)))
    .map(byte => byte.toString(16).padStart(2, '0')).join('')
  return {
    studies: studies.map(row => value(row, '0020000D')),
    addresses: studies.map(row => value(row, '00081190')),
    series: series.length, instances: instances.length, metadata: metadata.length, sopInstanceUID,
    pixels: value(metadata[0], '00280010') * value(metadata[0], '00280011') * value(metadata[0], '00280100') / 8,
    frames: frames.map(frame => frame.byteLength), frame: await hex(frames[0]),
    file: {
      prefix: String.fromCharCode(...new Uint8Array(whole, 128, 4)),
      tail: await hex(whole.slice(whole.byteLength - frames[0].byteLength)),
    },
  }
}"""
REFUSED = """async ([url, token, studyInstanceUID]) => {
  const client = new DICOMwebClient.api.DICOMwebClient({url, headers: {Authorization: 'Bearer ' + token}})
  const status = call => call.then(() => 200, error => error.status)
  return [await status(client.searchForStudies()), await status(client.retrieveStudyMetadata({studyInstanceUID}))]
}"""
Said = dict[str, Any]


@pytest.fixture(scope="module")
def redirect(site: Site) -> str:
    """The app's page."""
    return site.page("viewer.html", "dicomweb-client.js")


@pytest.fixture
def client_id(house: House, redirect: str) -> str:
    """An app that nobody allowed anything yet: the page begins with what was allowed before."""
    return str(house.register("dicomweb-client in a browser", redirect_uris=[redirect])["client_id"])


@pytest.fixture
def page(chromium: Browser, redirect: str) -> Iterator[Page]:
    context = chromium.new_context()
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(redirect)
    yield page
    context.close()


def studies_of(patient: str) -> set[str]:
    """By the sandbox's own plan."""
    return {study.uid for study in build_world().hospital("st-elsewhere").person(patient).studies}


@pytest.mark.promise("B3")
@pytest.mark.clause("PS3.18", "10.4", "10.6")
@pytest.mark.clause("RFC 6750", "2.1")
def test_it_searches_and_fetches_pixels(page: Page, house: House, client_id: str, redirect: str) -> None:
    token = granted(house, client_id, redirect)["access_token"]
    said: Said = page.evaluate(LOOK, [house.dicomweb, token])
    assert said["studies"]
    assert set(said["studies"]) <= studies_of("ana")
    assert set(said["addresses"]) == {f"{house.dicomweb}/studies/{uid}" for uid in said["studies"]}
    assert said["series"] > 0
    assert said["instances"] == min(2, said["metadata"])
    assert said["frames"] == [said["pixels"]]
    assert said["file"] == {"prefix": "DICM", "tail": said["frame"]}
    assert said["frame"] != hashlib.sha256(bytes(said["frames"][0])).hexdigest()


@pytest.mark.promise("B2")
@pytest.mark.promise("B3")
@pytest.mark.clause("RFC 6750", "3.1")
def test_it_sees_no_more_than_was_ticked(page: Page, house: House, client_id: str, redirect: str) -> None:
    kept, other = sorted(allowed(page, house, client_id, redirect))[:2]
    token = granted(house, client_id, redirect, studies=["chosen"], study=[kept])["access_token"]
    assert page.evaluate(REFUSED, [house.dicomweb, token, kept]) == [200, 200]
    assert page.evaluate(REFUSED, [house.dicomweb, token, other]) == [200, 404]
    blind = granted(house, client_id, redirect, images=["none"])["access_token"]
    assert page.evaluate(REFUSED, [house.dicomweb, blind, kept]) == [200, 403]
    assert page.evaluate(REFUSED, [house.dicomweb, "sat_" + "x" * 43, kept]) == [401, 401]


def allowed(page: Page, house: House, client_id: str, redirect: str) -> list[str]:
    """Every study that the app sees when all is allowed."""
    token = granted(house, client_id, redirect)["access_token"]
    script = """async ([url, token]) => (await new DICOMwebClient.api.DICOMwebClient(
        {url, headers: {Authorization: 'Bearer ' + token}}).searchForStudies()).map(row => row['0020000D'].Value[0])"""
    found: list[str] = page.evaluate(script, [house.dicomweb, token])
    return found
