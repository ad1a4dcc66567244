"""What a person calls a study, where the hospital's systems say it otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from tests.portal import fakes
from tests.portal.conftest import Portal

pytestmark = pytest.mark.promise("A2")


@pytest.mark.parametrize(
    ("modalities", "words"),
    [
        (("CT",), "203 pictures"),
        (("CT", "SR", "DOC"), "203 pictures and documents"),
        (("CT", "PR"), "203 pictures and documents"),
    ],
)
@pytest.mark.parametrize("page", ["", "keep"])
def test_documents_are_not_counted_as_pictures(
    portal: Portal, client: FlaskClient, modalities: tuple[str, ...], words: str, page: str
) -> None:
    portal.records.studies_found = (replace(portal.records.studies_found[1], modalities=modalities),)
    line = next(line for line in client.get(f"/my/ctx-ana/{page}").text.splitlines() if "203" in line)
    assert f"{words}<" in line


def test_codes_that_we_have_a_word_for_are_not_shown_in_the_codes_words(portal: Portal, client: FlaskClient) -> None:
    study = replace(portal.records.studies_found[1], uid=fakes.CT, body_parts=("Thyroid structure",))
    portal.records.studies_found = (study,)
    assert "CT scan: thyroid" in client.get("/my/ctx-ana/").text
    assert "Tomografía (TC): tiroides" in client.get("/my/ctx-ana/", headers={"Accept-Language": "es"}).text
