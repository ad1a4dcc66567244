import re
import zlib
from datetime import UTC, datetime

import pytest

from smartapp.exchange.copies import report_pdf as module
from smartapp.exchange.copies.report_pdf import plain_text, report_pdf
from smartapp.exchange.copies.words import ReportWords
from smartapp.fhir.upstream.model import Observation, ReportDocument
from tests.support.parts import require

AT = datetime(2026, 9, 17, tzinfo=UTC)
WORDS = ReportWords(
    report="Informe",
    conclusion="Conclusión",
    findings="Hallazgos",
    full_text="Texto",
    hospital_words="Palabras",
    parts_missing="Faltan partes",
    letters_missing="LETTERS-LOST",
    state=lambda status: f"State {status}",
    withdrawn=lambda status: status == "entered-in-error",
    written_by=lambda names: f"Written by {names}",
    issued=lambda at: f"Issued {at:%Y}",
)


def _report(conclusion: str = "Neumonía", status: str = "final") -> ReportDocument:
    return ReportDocument(
        id="r1",
        status=status,
        issued=AT,
        effective=None,
        title="TAC de tórax",
        conclusion=conclusion,
        performers=("Dra. Núñez",),
        observations=(Observation("Pulmón", "sin señales", "final"),),
        texts=("Todo lo demás.",),
        narrative_html="<p>Una <b>narración</b></p>",
        attachments=(),
    )


def _streams(pdf: bytes) -> bytes:
    """What the PDF's streams hold, inflated."""
    found = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    return b"\n".join(zlib.decompressobj().decompress(stream) for stream in found if stream[:1] == b"x")


@pytest.fixture
def latin(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without fonts."""
    monkeypatch.setattr(module, "_fonts", lambda: None)


@pytest.mark.promise("A4")
@pytest.mark.usefixtures("latin")
def test_the_conclusion_comes_first_and_accents_are_there_without_any_font() -> None:
    shown = _streams(report_pdf(_report(), WORDS, ("TAC", "Ana"), AT)).decode("latin-1")
    order = ["TAC", "Ana", "State final", "Conclusión", "Neumonía", "Hallazgos", "señales", "Texto", "Núñez", "Issued"]
    places = [shown.index(word) for word in order]
    assert places == sorted(places)
    assert "LETTERS-LOST" not in shown


@pytest.mark.usefixtures("latin")
def test_letters_that_no_font_has_are_said_to_be_missing() -> None:
    shown = _streams(report_pdf(_report("Вывод – “ясно”"), WORDS, ("TAC",), AT)).decode("latin-1")
    assert "LETTERS-LOST" in shown
    assert '????? - "????"' in shown


def test_other_alphabets_are_shown_where_the_system_has_letters_for_them() -> None:
    require("DejaVu, a font with many alphabets", module._fonts())
    pdf = report_pdf(_report("Вывод ясен, Łódź"), WORDS, ("TAC",), AT)
    mapped = (pdf + _streams(pdf)).decode("latin-1").upper()
    for letter in "ВЯŁŹÓ":
        assert f"<{ord(letter):04X}>" in mapped or f"<{ord(letter.lower()):04X}>" in mapped


@pytest.mark.usefixtures("latin")
def test_a_withdrawn_report_is_not_shown() -> None:
    shown = _streams(report_pdf(_report(status="entered-in-error"), WORDS, ("TAC",), AT)).decode("latin-1")
    assert "State entered-in-error" in shown
    assert "Neumonía" not in shown
    assert "narración" not in shown


def test_a_long_report_goes_on_to_the_next_page() -> None:
    pdf = report_pdf(_report("word " * 4000), WORDS, ("TAC",), AT)
    assert len(re.findall(rb"/Type /Page\b(?!s)", pdf)) > 1


@pytest.mark.threat("W5")
def test_of_html_only_the_words_are_taken() -> None:
    assert plain_text("<table><tr><td>A &amp; B</td><td>2</td></tr></table><p>C<br/>D</p>") == "A & B   2\nC\nD"
    assert plain_text("") == ""
