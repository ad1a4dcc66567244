import base64
from typing import Any

import pytest

from tests.copies.shop import Shop
from tests.fhir_upstream.fake_fhir import FakeFhir, report, study
from tests.records.conftest import archive, desk, ehr, pool
from tests.records.desk import Desk

__all__ = ["archive", "desk", "ehr", "pool"]  # fixtures, found by their names here

PDF = b"%PDF-1.4 the hospital's own"
CHEST_REPORT: dict[str, Any] = {
    "imagingStudy": [{"reference": "ImagingStudy/i1"}],
    "presentedForm": [{"contentType": "application/pdf", "data": base64.b64encode(PDF).decode(), "title": "Signed"}],
    "conclusion": "No hay señales de neumonía. Ärztlich geprüft.",
    "issued": "2026-09-17T12:00:00-05:00",
}


@pytest.fixture
def shop(desk: Desk, ehr: FakeFhir) -> Shop:
    site = [{"bodySite": {"text": "Thoracic structure"}, "uid": "1.2.3.1", "modality": {"code": "CT"}}]
    desk.tell(studies=[study(uid="1.2.3", series=site)], reports=[report(**CHEST_REPORT)])
    ehr.at("DiagnosticReport/r1", report(**CHEST_REPORT))
    return Shop(desk)
