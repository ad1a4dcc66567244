"""The receipt as a page: read back from the PDF, it says who, what and until when, in each of our languages."""

from __future__ import annotations

import json
import re
import zlib
from datetime import UTC, date, datetime

import pytest

from smartapp.exchange.copies import report_pdf as module
from tests.exchange.desk import Office

UNTIL = datetime(2100, 1, 2, tzinfo=UTC)
SAID = {
    "en": [
        "Receipt: what you allowed an app", "St-Elsewhere", "App", "Canary Heart App", "Allowed by", "The patient,",
        "Until", "January 1, 2100, 18:00", "Which studies", "1 chosen study", "From March 1, 2020", "Pictures",
        "Yes, without what identifies the patient", "Reports", "No", "Purpose (HL7 code)", "PATRQT",
        "Technical permissions (SMART scopes)", "patient/*.rs", "Receipt number: ", "Made on ",
    ],
    "es": [
        "Recibo: lo que usted permitió a una app", "St-Elsewhere", "App", "Canary Heart App", "Permitido por",
        "El paciente,", "Hasta", "1 de enero de 2100, 18:00", "Qué estudios", "1 estudio elegido",
        "Desde el 1 de marzo de 2020", "Imágenes", "Sí, sin lo que identifica al paciente", "Informes", "No",
        "Finalidad (código HL7)", "PATRQT", "Permisos técnicos (SMART scopes)", "patient/*.rs",
        "Número de recibo: ", "Hecho el ",
    ],
}  # fmt: skip


def written(pdf: bytes) -> str:
    """The words of a PDF in a core font, in the order in which they stand: what is shown by Tj (ISO 32000-1 §9.4.3)."""
    streams = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    shown = b"\n".join(zlib.decompressobj().decompress(each) for each in streams if each[:1] == b"x")
    texts = re.findall(rb"\(((?:\\.|[^()\\])*)\) Tj", shown, re.DOTALL)
    return " ".join(re.sub(rb"\\(.)", rb"\1", each).decode("latin-1") for each in texts)


@pytest.mark.promise("B4")
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_page_says_who_what_and_until_when(office: Office, monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.setattr(module, "_fonts", lambda: None)  # a system without fonts: letters stand as letters
    _, ana = office.someone()
    code = office.approve(
        ana, chosen=frozenset({"1.2.3"}), expires_at=UNTIL, images="deidentified", reports=False,
        started_from=date(2020, 3, 1),
    )  # fmt: skip
    issued = office.redeem(code)
    grant = office.the_grant(ana)
    pdf = office.grants.receipt(ana, grant.id, language=language).pdf
    words = written(pdf)
    read = 0
    for each in SAID[language]:  # one after the other
        read = words.find(each, read) + len(each)
        assert read >= len(each), (each, words)
    assert f"{grant.id}/{grant.version}" in words
    secrets = [issued.access_token, issued.refresh_token, code]
    for secret in (each for each in secrets if each):
        assert secret not in words
        assert secret.encode() not in pdf
    assert "Canaryvera" not in words
    assert "One nodule" not in words


@pytest.mark.promise("B4")
def test_who_holds_a_receipt_finds_the_page_where_it_can_be_ended(office: Office) -> None:
    _, ana = office.someone()
    office.redeem(office.approve(ana))
    said = json.loads(office.grants.receipt(ana, office.the_grant(ana).id, language="en").json)
    (controller,) = said["piiControllers"]
    base = office.parts.settings.server.base_url
    assert controller == {"piiController": "St-Elsewhere", "contact": f"{base}/my/apps", "onBehalf": False}
