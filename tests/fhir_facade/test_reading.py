"""What an app reads and finds when the patient allowed all."""

from __future__ import annotations

import pytest
from fhir.resources.R4B import get_fhir_model_class

from tests.fhir_facade.app import FHIR, App, Clinic


@pytest.mark.promise("B3")
def test_studies_are_listed_with_their_series_and_the_place_to_read_images(app: App) -> None:
    page = app.json("/ImagingStudy?patient=ana&_include=ImagingStudy:endpoint")
    print(page)
    assert page["total"] == 3
