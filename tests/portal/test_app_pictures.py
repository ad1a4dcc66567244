"""Pictures of apps come from us: browsers ask nobody else for them."""

import pytest

from tests.portal.app_fakes import HANDLE, sample_app
from tests.portal.conftest import Portal

PICTURE = "/st-elsewhere/apps/app-1/picture"


@pytest.mark.promise("B1")
def test_the_page_shows_the_picture_that_we_keep_and_not_the_makers(portal: Portal) -> None:
    page = f"/st-elsewhere/oauth/approve/{HANDLE}"
    assert "<img" not in portal.client().get(page).text
    portal.apps.apps = (sample_app(logo_uri="https://app.example.org/logo.png"),)
    shown = portal.client().get(page).text
    assert f'src="{PICTURE}"' in shown
    assert "logo.png" not in shown


def test_anybody_may_see_a_picture_and_only_a_picture(portal: Portal) -> None:
    stranger = portal.client(session=None)
    assert stranger.get(PICTURE).status_code == 404
    assert stranger.get("/st-elsewhere/apps/app-none/picture").status_code == 404
    portal.apps.apps = (sample_app(logo_uri="https://app.example.org/logo.png"),)
    answer = stranger.get(PICTURE)
    assert (answer.status_code, answer.content_type, answer.data) == (200, "image/png", b"\x89PNG")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
