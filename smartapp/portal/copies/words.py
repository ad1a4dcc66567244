"""The words that go into a copy, in the language of the page it was asked for on."""

from datetime import datetime
from typing import Final

from flask_babel import format_decimal, format_percent, ngettext
from flask_babel import gettext as _

from smartapp.exchange.copies.progress import Progress
from smartapp.exchange.copies.words import ReportWords, Words
from smartapp.portal.dates import day_text, moment_text
from smartapp.portal.patient.record import Record
from smartapp.portal.words import report_standing, series_title, study_title
from smartapp.records.model import SeriesSummary, StudySummary, Withheld

_MEGABYTE: Final = 1_000_000


def copy_words(record: Record, made_at: datetime, *, encrypted: bool, unmatched: int = 0) -> Words:
    """All words of a copy of `record`, made at `made_at` (aware). Its functions are to be called in this request."""
    return Words(
        title=_("A copy of an imaging record"),
        whose=_whose(record),
        made=_(
            "Made on %(when)s with what the hospital's systems held then.", when=moment_text(made_at, record.timezone)
        ),
        lines=_lines(encrypted=encrypted),
        contents=_("What is here"),
        no_pictures=_("No pictures: they are not available here."),
        missing=_("These files could not be had when the copy was made. Make another one later, or ask the hospital:"),
        incomplete=_(
            "Some of what the hospital's systems hold could not be read when the copy was made: there may be more."
        ),
        unmatched=_unmatched(unmatched),
        study=study_title,
        taken=lambda study: _taken(study, record),
        series=_series,
        withheld=lambda held: _withheld(held, record),
        papers=_papers,
        report=_report_words(record),
    )


def size_text(size: int) -> str:
    """How large something will be at most, in bytes, as people say it."""
    if size < _MEGABYTE:
        return str(_("less than 1 MB"))
    if size < 1000 * _MEGABYTE:
        return str(_("at most about %(number)s MB", number=format_decimal(round(size / _MEGABYTE))))
    return str(_("at most about %(number)s GB", number=format_decimal(round(size / _MEGABYTE / 1000, 1))))


def progress_text(told: Progress) -> str:
    """How far a copy is, in a sentence or two."""
    sent = _sent(told.size)
    if told.state == "complete":
        return str(_("The copy was sent to its end: %(sent)s.", sent=sent))
    if told.state == "broken":
        return str(
            _("The download broke off after %(sent)s: its file cannot be opened. Press the button again.", sent=sent)
        )
    if told.state == "silent":
        return str(
            _("Nothing was sent for some minutes, after %(sent)s. If no file came, press the button again.", sent=sent)
        )
    if told.percent is None:
        return str(_("%(sent)s so far.", sent=sent))
    return str(
        ngettext(
            "%(done)s of %(num)s picture (%(percent)s), %(sent)s so far.",
            "%(done)s of %(num)s pictures (%(percent)s), %(sent)s so far.",
            told.expected,
            done=told.pictures,
            percent=format_percent(told.percent / 100),
            sent=sent,
        )
    )


def _sent(size: int) -> str:
    if size < _MEGABYTE:
        return str(_("less than 1 MB"))
    return str(_("%(number)s MB", number=format_decimal(size // _MEGABYTE)))


def _whose(record: Record) -> str:
    parts = [str(_("Record of %(name)s", name=record.name))]
    if record.birth_date:
        parts.append(str(_("born %(date)s", date=day_text(record.birth_date, record.timezone))))
    return " · ".join([*parts, record.hospital])


def _lines(*, encrypted: bool) -> tuple[str, ...]:
    keep = (
        _("These files are health information. Once unpacked, whoever has them can read them: keep the ZIP instead.")
        if encrypted
        else _("These files are health information, and not encrypted. Whoever has them can read them.")
    )
    return (
        _(
            "Pictures: the files I00001, I00002 … are DICOM files, as scanners and hospitals use them. Any DICOM viewer"
            " opens them: unpack the ZIP first, then open the file DICOMDIR, or the whole folder."
        ),
        _("Folders: first the day (year, month, day), then the kind and part of the body, then the series."),
        _("Reports: REPORT1.PDF is the radiologist's report. Files that begin with HOSP are the hospital's own."),
        _("To check that nothing was changed or lost: manifest.json has the size and SHA-256 of every file."),
        keep,
    )


def _unmatched(count: int) -> str:
    if not count:
        return ""
    return str(
        ngettext(
            "%(num)s item could not be matched to this record with certainty and is not in this copy.",
            "%(num)s items could not be matched to this record with certainty and are not in this copy.",
            count,
        )
    )


def _taken(study: StudySummary, record: Record) -> str:
    when = moment_text(study.started, record.timezone) if study.started else _("Date not known")
    return " · ".join(part for part in (str(when), study.description, study.place) if part)


def _series(series: SeriesSummary) -> str:
    if series.pictures:
        count = ngettext("%(num)s picture", "%(num)s pictures", series.instance_count)
    else:
        count = _("Data without pictures")
    return f"{series_title(series)} ({count})"


def _withheld(held: Withheld, record: Record) -> str:
    """As the study's page says it."""
    if held.why == "blocked":
        return str(_("There is a report, and your care team asked to talk with you first."))
    if held.why == "preliminary" or held.until is None:
        return str(_("A first report is there, and no doctor has confirmed it yet."))
    return str(_("The report is there; it is shown from %(when)s.", when=moment_text(held.until, record.timezone)))


def _papers(count: int) -> str:
    return str(
        ngettext(
            "%(num)s document among the pictures waits until then as well.",
            "%(num)s documents among the pictures wait until then as well.",
            count,
        )
    )


def _report_words(record: Record) -> ReportWords:
    return ReportWords(
        report=_("Report"),
        conclusion=_("Conclusion"),
        findings=_("Findings"),
        full_text=_("Full text"),
        hospital_words=_("As the hospital's system words it"),
        parts_missing=_("Parts of this report could not be read now and are missing here."),
        letters_missing=_("Some letters of this report cannot be shown here and were replaced by question marks."),
        state=_state,
        withdrawn=lambda status: report_standing(status) == "withdrawn",
        written_by=lambda names: str(_("Written by %(names)s.", names=names)),
        issued=lambda at: str(_("Issued on %(when)s.", when=moment_text(at, record.timezone))),
    )


def _state(status: str) -> str:
    """As the study's page says it, in one paragraph."""
    said = {
        "final": (_("Final report."),),
        "amended": (
            _("Amended report."),
            _("It was changed after it was first issued. This is the newest version."),
        ),
        "preliminary": (_("Preliminary report."), _("A doctor has not confirmed it yet; it may still change.")),
        "withdrawn": (_("The hospital has withdrawn this report."), _("It is no longer valid and is not shown.")),
        "unknown": (_("It is not known whether this report is final."), _("Ask your care team before you rely on it.")),
    }
    return " ".join(map(str, said[report_standing(status)]))
