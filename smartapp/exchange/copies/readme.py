"""README.txt: what this is, what is where, how to open it. For whoever receives the copy. Pure."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from smartapp.exchange.copies.plan import PlannedStudy
from smartapp.exchange.copies.words import Words

FILE: Final = "README.txt"
_WIDTH: Final = 76


def readme(words: Words, studies: Sequence[PlannedStudy], missing: Sequence[str], *, incomplete: bool) -> bytes:
    """The text, as UTF-8 with a mark that tells old editors so, and the line ends that all of them know.

    `missing` are paths of what could not be had; `incomplete` says that there may be more than is listed.
    """
    text = "\n".join(_lines(words, studies, missing, incomplete=incomplete))
    return text.replace("\n", "\r\n").encode("utf-8-sig")


def _lines(words: Words, studies: Sequence[PlannedStudy], missing: Sequence[str], *, incomplete: bool) -> Iterator[str]:
    yield from (words.title.upper(), "=" * len(words.title), "", words.whose, words.made, "")
    for line in words.lines:
        yield from (*textwrap.wrap(line, _WIDTH), "")
    for warning in (words.incomplete if incomplete else "", words.unmatched):
        if warning:
            yield from (*textwrap.wrap(f"! {warning}", _WIDTH), "")
    if missing:
        yield from (*textwrap.wrap(f"! {words.missing}", _WIDTH), *(f"    {path}" for path in missing), "")
    yield from (words.contents, "-" * len(words.contents))
    for study in studies:
        yield from _study(words, study)
    yield ""


def _study(words: Words, study: PlannedStudy) -> Iterator[str]:
    yield from ("", study.folder, f"  {study.title}", f"  {study.taken}")
    for report in study.reports:
        yield f"    {report.path.rpartition('/')[2]:<12}  {report.title}"
        for document in report.attachments:
            yield f"    {document.path.rpartition('/')[2]:<12}  {document.title}".rstrip()
    for series in study.series:
        yield f"    {series.folder.rpartition('/')[2]:<12}  {series.title}"
    for held in study.held:
        yield from textwrap.wrap(f"! {held}", _WIDTH, initial_indent="    ", subsequent_indent="    ")
    if not study.series and not study.summary.images_available:
        yield f"    {words.no_pictures}"
