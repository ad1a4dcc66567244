"""When people and places changed, of whom nobody says it: since when the app is shown them as they are."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest

from tests.fhir_facade.app import App

PLACES = ["Patient/ana", "Practitioner/dr", "Endpoint/dicomweb"]


@pytest.mark.promise("B3")
@pytest.mark.clause("FHIR R4", "3.1.0.1")
@pytest.mark.parametrize("path", PLACES)
def test_everything_that_is_read_has_a_date_that_stays_and_is_found_by_it(app: App, path: str) -> None:
    type_ = path.partition("/")[0]
    first, again = app.get(f"/{path}"), app.get(f"/{path}")
    told = first.json
    assert told is not None
    moment = told["meta"]["lastUpdated"]
    assert parsedate_to_datetime(first.headers["Last-Modified"]).isoformat().replace("+00:00", "Z") == moment
    assert again.json == told
    for query, there in (
        (f"_lastUpdated={moment}", True),
        ("_lastUpdated=gt2020", True),
        ("_lastUpdated=lt2020", False),
    ):
        found = [each["resource"] for each in app.json(f"/{type_}?{query}").get("entry", [])]
        assert (told in found) is there


@pytest.mark.promise("B3")
@pytest.mark.clause("FHIR R4", "3.1.0.5")
def test_a_file_as_a_resource_has_a_version_and_a_date(app: App) -> None:
    listed = app.json("/DocumentReference")["entry"][0]["resource"]["content"][0]["attachment"]["url"]
    asked = {"Accept": "application/fhir+json"}
    first = app.get(f"/{listed}", headers=asked)
    assert first.headers["Last-Modified"].endswith("GMT")
    again = app.get(f"/{listed}", headers={**asked, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.promise("B3")
def test_sorting_by_date_lists_people_and_places_too(app: App) -> None:
    plain, sorted_ = app.json("/Organization"), app.json("/Organization?_sort=-_lastUpdated")
    assert plain["total"] == sorted_["total"] >= 1
    names = [{each["resource"]["id"] for each in page["entry"]} for page in (plain, sorted_)]
    assert names[0] == names[1]
