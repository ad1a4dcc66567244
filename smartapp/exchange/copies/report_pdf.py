"""A report as a PDF that can be read and printed: state first, conclusion before everything else."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from fpdf import FPDF

    from smartapp.exchange.copies.words import ReportWords
    from smartapp.fhir.upstream.model import ReportDocument

_FONTS: Final = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans{}.ttf",
    "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans{}.ttf",
    "/usr/share/fonts/TTF/DejaVuSans{}.ttf",
)
"""Where systems keep a font that has most alphabets; the image installs it. Without it: Latin letters only."""
_MARGIN: Final = 20
_LINE: Final = 6


def report_pdf(report: ReportDocument, words: ReportWords, head: tuple[str, ...], made_at: datetime) -> bytes:
    """The page. `head` is a title, and lines that say whose it is and of which examination.

    Where no font has a letter, it is replaced and the page says so.
    """
    page = Page(made_at)
    page.text(head[0], size=16, bold=True)
    for line in head[1:]:
        page.text(line, size=10)
    page.gap()
    page.text(report.title or words.report, size=13, bold=True)
    page.text(words.state(report.status), bold=True)
    if not words.withdrawn(report.status):
        _body(page, report, words)
    return page.finish(words.letters_missing)


def _body(page: Page, report: ReportDocument, words: ReportWords) -> None:
    if report.problems:
        page.text(words.parts_missing, bold=True)
    if report.conclusion:
        page.section(words.conclusion, report.conclusion)
    if report.observations:
        page.section(words.findings, "\n".join(f"{each.name}: {each.value}" for each in report.observations))
    if report.texts:
        page.section(words.full_text, "\n\n".join(report.texts))
    if narrative := plain_text(report.narrative_html):
        page.section(words.hospital_words, narrative)
    page.gap()
    if report.performers:
        page.text(words.written_by(", ".join(report.performers)), size=10)
    if report.issued:
        page.text(words.issued(report.issued), size=10)


class Page:
    """A4 with wide margins; text flows from page to page."""

    def __init__(self, made_at: datetime) -> None:
        from fpdf import FPDF  # noqa: PLC0415 - heavy, and few requests need it
        from fpdf.fonts import TTFFont  # noqa: PLC0415 - as above

        self._pdf: FPDF = FPDF(format="A4")
        self._pdf.set_creation_date(made_at)
        self._pdf.set_margins(_MARGIN, _MARGIN)
        self._pdf.set_auto_page_break(auto=True, margin=_MARGIN)
        self._family, self._letters, self._lost = "Helvetica", _LATIN, False
        if (fonts := _fonts()) is not None:
            self._family = "DejaVu"
            for style, path in zip(("", "B"), fonts, strict=True):
                self._pdf.add_font(self._family, style, path)
            font = self._pdf.fonts["dejavu"]
            self._letters = frozenset(font.cmap) if isinstance(font, TTFFont) else _LATIN
        self._pdf.add_page()

    def text(self, text: str, *, size: int = 11, bold: bool = False) -> None:
        """A paragraph."""
        if not text:
            return
        self._pdf.set_font(self._family, "B" if bold else "", size)
        self._pdf.multi_cell(0, _LINE, self._shown(text), align="L", new_x="LMARGIN", new_y="NEXT")

    def section(self, heading: str, text: str) -> None:
        """A heading and what is under it."""
        self.gap()
        self.text(heading, size=12, bold=True)
        self.text(text)

    def gap(self) -> None:
        """Some room."""
        self._pdf.ln(_LINE / 2)

    def finish(self, letters_missing: str) -> bytes:
        """The file."""
        if self._lost:
            self.gap()
            self.text(letters_missing, size=10, bold=True)
        return bytes(self._pdf.output())

    def _shown(self, text: str) -> str:
        """The text in letters that the font has; a sign that it lacks becomes `?`."""
        text = text if self._letters is not _LATIN else text.translate(_PLAIN)
        clean = "".join(sign for sign in text if sign == "\n" or sign.isprintable())
        shown = "".join(sign if sign == "\n" or ord(sign) in self._letters else "?" for sign in clean)
        self._lost = self._lost or shown != clean
        return shown


_LATIN: Final = frozenset(range(256))
_PLAIN: Final = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "•": "-"})
"""Signs of print that the core fonts lack and everybody reads as their plain cousins."""


@cache
def _fonts() -> tuple[str, str] | None:
    """The regular and the bold face, if the system has both."""
    for pattern in _FONTS:
        pair = (pattern.format(""), pattern.format("-Bold"))
        if all(Path(path).is_file() for path in pair):
            return pair
    return None


_BLOCKS: Final = frozenset(("p", "div", "br", "li", "tr", "pre", "table", "dt", "dd", "h3", "h4", "h5", "h6"))


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = [""]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the base's
        if tag in _BLOCKS:
            self.lines.append("")
        elif tag in {"td", "th"} and self.lines[-1]:
            self.lines[-1] += "   "

    def handle_data(self, data: str) -> None:
        self.lines[-1] += " ".join(data.split()) if not data.isspace() else " "


def plain_text(html: str) -> str:
    """The words of clean XHTML, a line for each block."""
    parser = _Text()
    parser.feed(html)
    parser.close()
    return "\n".join(line for line in (each.strip() for each in parser.lines) if line)
