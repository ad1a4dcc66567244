"""Inês, whose record has a history: an old number, a merged record, a misfiled study, a label and a refusal."""

from smartapp.sandbox.world.model import Person, Report, Study, series, uid_for

_HAND = ("HAND", ("85562004", "Hand structure"))


def ines(mrn: str, old_mrn: str) -> tuple[Person, ...]:
    """Her record, after the one that was merged into it.

    The PACS was told of neither change of number, and has filed one of her studies under the number of nobody.
    """
    before = Person("ines-before", "Carvalho", "Ines", "1986-10-02", "female", ((mrn, "SE-0431"),))
    now = Person(
        "ines", "Carvalho", "Inês", "1986-10-02", "female", ((mrn, "SE-1007"), (old_mrn, "OLD-12")),
        (
            _study("current", "2026-05-11T10:00:00-05:00", "X-ray left hand"),
            _study("old-number", "2014-02-03T10:00:00-06:00", "X-ray left hand, 2014", filed_under="OLD-12"),
            _study("merged", "2019-09-19T10:00:00-05:00", "X-ray left hand, 2019", filed_under="SE-0431"),
            _study("misfiled", "2021-06-30T10:00:00-05:00", "X-ray left hand, 2021", filed_under="SE-4040"),
            _study("labelled", "2024-12-12T10:00:00-06:00", "X-ray left hand, 2024", labels=("R",)),
        ),
        replaces=("ines-before",),
        refused="Harbor Occupational Health",
    )  # fmt: skip
    return before, now


def _study(
    kind: str, started: str, description: str, *, filed_under: str | None = None, labels: tuple[str, ...] = ()
) -> Study:
    name = f"st-elsewhere/ines/{kind}"
    body_part, body_site = _HAND
    return Study(
        uid=uid_for(name),
        imaging_study_id=f"img-ines-{kind}",
        service_request_id=f"order-ines-{kind}",
        accession=f"I{started[2:4]}{started[5:7]}{started[8:10]}001",
        started=started,
        description=description,
        anatomy="hand",
        body_part=body_part,
        body_site=body_site,
        modalities=("DX",),
        series=(series(name, 1, "Hand PA", "DX", 1, (256, 208)),),
        report=_report(kind, started, description) if labels or kind == "current" else None,
        filed_under=filed_under,
        labels=labels,
    )


def _report(kind: str, started: str, description: str) -> Report:
    issued = f"{started[:11]}15:00:00{started[19:]}"
    return Report(f"rep-ines-{kind}", "final", issued, description, "No fracture.", "Normal hand.")
