"""OHIF, unmodified, with the token of somebody's app instead of our own viewer's."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.clients.house import House
from tests.clients.python.walk import studies_of, token_of
from tests.ohif.conftest import browser, context
from tests.ohif.watch import wait_for_picture

__all__ = ["browser", "context"]


def opened(context: BrowserContext, house: House, token: str, study: str) -> Page:
    """OHIF's page of ours, which is handed the app's token where it asks for one: nothing else is changed."""
    ohif = house.said["ohif"]["base"]
    answer = {"access_token": token, "token_type": "Bearer", "expires_in": 3600, "dicomweb": house.dicomweb}

    def hand_over(route: Route) -> None:
        headers = {"Access-Control-Allow-Origin": ohif, "Access-Control-Allow-Headers": "content-type"}
        route.fulfill(json={**answer, "study": study}, headers=headers)

    page = context.new_page()
    page.route("**/ohif/token", hand_over)
    page.goto(f"{ohif}/open#code=given-by-the-test")
    return page


@pytest.mark.promise("A3")
@pytest.mark.promise("B3")
@pytest.mark.clause("PS3.18", "10.4", "10.6")
def test_ohif_shows_the_study_that_the_grant_reaches_and_none_that_it_does_not(
    context: BrowserContext, house: House
) -> None:
    everything = studies_of(house, token_of(house)["access_token"], "ana")
    brain = next(uid for uid, name in everything.items() if "brain" in name.lower())
    chest = next(uid for uid, name in everything.items() if "chest" in name.lower())
    ohif = house.said["ohif"]["base"]
    app = house.register("A viewer in a browser", redirect_uris=[f"{ohif}/callback"])
    token = token_of(house, client=app, studies=["chosen"], study=[brain])["access_token"]
    answers: list[tuple[int, str]] = []
    context.on("response", lambda response: answers.append((response.status, response.url)))

    page = opened(context, house, token, brain)
    wait_for_picture(page)
    expect(page.get_by_text(everything[brain]).first).to_be_visible()
    for uid in everything.keys() - {brain}:
        expect(page.get_by_text(everything[uid])).to_have_count(0)
    read = [url for status, url in answers if status == 200 and url.startswith(house.dicomweb)]
    assert any(f"/studies/{brain}/" in url and "/frames/" in url for url in read)

    other = opened(context, house, token, chest)
    expect(other.get_by_text("One or more of the requested studies are not available")).to_be_visible(timeout=60_000)
    assert other.locator("canvas").count() == 0
    asked = {status for status, url in answers if chest in url and url.startswith(house.dicomweb)}
    assert asked, "it asked for nothing"
    assert asked <= {204, 404}  # an empty list, or nothing there: it need not ask further than the list
