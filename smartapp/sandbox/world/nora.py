"""Nora, who told her hospital what apps shall not have: by label, by kind of resource, and under an older record."""

from smartapp.sandbox.world.model import Denial, Person, Report, Study, series, uid_for


def nora(mrn: str) -> tuple[Person, ...]:
    """Her record, after the one that was merged into it: what she said then is on file under its number still."""
    before = Person(
        "nora-before", "Lindgren", "Nora", "1972-02-17", "female", ((mrn, "SE-0532"),),
        denials=(Denial("one-study", studies=("img-nora-earlier",)),),
    )  # fmt: skip
    now = Person(
        "nora", "Lindgren", "Nora", "1972-02-17", "female", ((mrn, "SE-1008"),),
        (
            _study("recent", "2026-03-02T10:00:00-06:00"),
            _study("labelled", "2025-08-19T10:00:00-05:00", labels=("R",)),
            _study("earlier", "2022-11-07T10:00:00-06:00"),
            _study("merged", "2016-04-11T10:00:00-05:00", filed_under="SE-0532"),
        ),
        replaces=("nora-before",),
        denials=(
            Denial("restricted", labels=("R",)),
            Denial("old-reports", classes=("DiagnosticReport",), but_since="2024-01-01"),
        ),
    )  # fmt: skip
    return before, now


def _study(kind: str, started: str, *, filed_under: str | None = None, labels: tuple[str, ...] = ()) -> Study:
    name, description = f"st-elsewhere/nora/{kind}", f"X-ray chest, {started[:4]}"
    return Study(
        uid=uid_for(name),
        imaging_study_id=f"img-nora-{kind}",
        service_request_id=f"order-nora-{kind}",
        accession=f"N{started[2:4]}{started[5:7]}{started[8:10]}001",
        started=started,
        description=description,
        anatomy="thumbnail",
        body_part="CHEST",
        body_site=("51185008", "Thoracic structure"),
        modalities=("DX",),
        series=(series(name, 1, "Chest AP", "DX", 1, (64, 64)),),
        report=Report(
            f"rep-nora-{kind}",
            "final",
            f"{started[:11]}15:00:00{started[19:]}",
            description,
            "Clear lungs.",
            "Normal chest.",
        ),
        filed_under=filed_under,
        labels=labels,
    )
