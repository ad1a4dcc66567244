from datetime import UTC, datetime
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest

from smartapp.dicomweb.upstream.model import PacsStudy
from smartapp.fhir.upstream.model import Accession, BodySite, ImagingStudyFacts, ReportFacts
from smartapp.records.merge import merge, report_status
from smartapp.records.model import IndexedStudy

ZONE = ZoneInfo("America/Chicago")


def ehr(uid: str = "1.2", subject: str = "ana", **more: object) -> ImagingStudyFacts:
    facts: dict[str, object] = {
        "id": f"img-{uid}", "uid": uid, "subject": subject, "status": "available", "started": None,
        "description": "EHR", "modalities": ("CT",), "body_sites": (BodySite("51185008", "Thoracic structure"),),
        "series_count": 1, "instance_count": 9, "series": (), "accessions": (), "based_on": (), "place": "", **more,
    }  # fmt: skip
    return ImagingStudyFacts(**facts)  # type: ignore[arg-type]  # as named above


def pacs(uid: str = "1.2", *, belongs: bool = True, **tags: object) -> PacsStudy:
    row = {tag.removeprefix("t"): {"vr": "LO", "Value": v if isinstance(v, list) else [v]} for tag, v in tags.items()}
    return PacsStudy(uid, belongs, {"0020000D": {"vr": "UI", "Value": [uid]}, **row})


def report(id_: str = "r", subject: str = "ana", status: str = "final", **more: object) -> ReportFacts:
    facts: dict[str, object] = {
        "id": id_, "subject": subject, "status": status, "issued": None, "effective": None, "title": "",
        "imaging": True, "imaging_study_refs": (), "study_uids": (), "based_on": (), "accessions": (), **more,
    }  # fmt: skip
    return ReportFacts(**facts)  # type: ignore[arg-type]  # as named above


def merged(*parts: ImagingStudyFacts | PacsStudy | ReportFacts) -> list[IndexedStudy]:
    return list(
        merge(
            "ana",
            [part for part in parts if isinstance(part, ImagingStudyFacts)],
            [part for part in parts if isinstance(part, PacsStudy)],
            [part for part in parts if isinstance(part, ReportFacts)],
            ZONE,
        )
    )


@pytest.mark.parametrize(
    ("parts", "owned", "contradicted", "images"),
    [
        ((ehr(),), True, False, False),
        ((pacs(),), True, False, True),
        ((ehr(), pacs()), True, False, True),
        ((ehr(subject="ben"),), False, True, False),
        ((ehr(subject="ben"), pacs()), False, True, False),
        ((ehr(), pacs(belongs=False)), False, True, False),
        ((pacs(belongs=False),), False, True, False),
        ((ehr(), ehr(subject="ben"), pacs()), False, True, False),
    ],
)
def test_whose_a_study_is(
    parts: tuple[ImagingStudyFacts | PacsStudy, ...], *, owned: bool, contradicted: bool, images: bool
) -> None:
    for order in permutations(parts):
        (study,) = merged(*order)
        assert (study.owned, study.contradicted, study.images_available) == (owned, contradicted, images)


def test_the_pacs_is_the_authority_on_the_study_and_the_ehr_on_the_body() -> None:
    (study,) = merged(ehr(), pacs(t00080061=["CT", "SR"], t00081030="PACS", t00201206=2, t00201208="600"))
    assert study.modalities == ("CT", "SR")
    assert study.description == "PACS"
    assert (study.series_count, study.instance_count) == (2, 600)
    assert study.body_parts == ("Thoracic structure",)
    assert study.body_sites == ("51185008",)


def test_the_row_keeps_listed_attributes_only() -> None:
    (study,) = merged(pacs(t00081190="http://pacs/x", t00091001="private", t00101000="other", t00081030="CT"))
    assert set(study.row) == {"0020000D", "00081030"}


STARTED = datetime(2026, 9, 17, 14, 42, tzinfo=UTC)


@pytest.mark.parametrize(
    ("parts", "started"),
    [
        ((pacs(t00080020="20260917", t00080030="094200"),), "2026-09-17T09:42:00-05:00"),
        ((pacs(t00080020="20260917", t00080030="0942"),), "2026-09-17T09:42:00-05:00"),
        ((pacs(t00080020="20260917", t00080030="144200", t00080201="+0000"),), "2026-09-17T09:42:00-05:00"),
        ((pacs(t00080020="20260917", t00080030="094200.123456", t00080201="nonsense"),), "2026-09-17T09:42:00-05:00"),
        ((pacs(t00080020="20260917"), ehr(started=STARTED)), "2026-09-17T09:42:00-05:00"),
        ((pacs(t00080020="20260918"), ehr(started=STARTED)), "2026-09-18T00:00:00-05:00"),
        ((pacs(t00080020="20261332", t00080030="x"), ehr(started=STARTED)), "2026-09-17T09:42:00-05:00"),
        ((pacs(t00080020="20260917", t00080030="nonsense"),), "2026-09-17T00:00:00-05:00"),
        ((ehr(started=STARTED),), "2026-09-17T09:42:00-05:00"),
        ((pacs(), ehr()), None),
    ],
)
def test_when_a_study_began(parts: tuple[ImagingStudyFacts | PacsStudy, ...], started: str | None) -> None:
    (study,) = merged(*parts)
    assert (study.started.isoformat() if study.started else None) == started


def test_newest_first_and_undated_last() -> None:
    studies = merged(pacs("1.1", t00080020="20200101"), pacs("1.3"), pacs("1.2", t00080020="20250101"))
    assert [study.uid for study in studies] == ["1.2", "1.1", "1.3"]


A1 = Accession("urn:hospital", "A1")
ORDER = ("ServiceRequest/1",)
TWO = (
    ehr("1.2", based_on=ORDER, accessions=(A1,)),
    ehr("1.3", based_on=("ServiceRequest/2",)),
    pacs("1.4", t00080050="A1"),
)


@pytest.mark.parametrize(
    ("one", "uids"),
    [
        (report(imaging_study_refs=("img-1.2",)), ["1.2"]),
        (report(study_uids=("1.4",)), ["1.4"]),
        (report(imaging_study_refs=("img-elsewhere",), based_on=ORDER, accessions=(A1,)), []),
        (report(imaging_study_refs=("img-1.3",), based_on=ORDER), ["1.3"]),
        (report(based_on=ORDER), ["1.2"]),
        (report(based_on=("ServiceRequest/9",), accessions=(A1,)), ["1.4"]),
        (report(accessions=(A1,)), ["1.2", "1.4"]),
        (report(accessions=(Accession("", "A1"),)), ["1.2", "1.4"]),
        (report(accessions=(Accession("urn:other", "A1"),)), ["1.4"]),
        (report(accessions=(Accession("urn:hospital", "A2"),)), []),
        (report(issued=STARTED, effective=STARTED), []),
        (report(subject="ben", imaging_study_refs=("img-1.2",)), []),
        (report(status="cancelled", based_on=ORDER), []),
        (report(status="entered-in-error", based_on=ORDER), []),
    ],
)
def test_which_study_a_report_belongs_to(one: ReportFacts, uids: list[str]) -> None:
    assert sorted(study.uid for study in merged(*TWO, one) if study.reports) == uids


@pytest.mark.promise("A2")
@pytest.mark.parametrize(
    ("statuses", "word"),
    [
        ((), "none"), (("registered",), "none"), (("preliminary",), "preliminary"), (("partial",), "preliminary"),
        (("final",), "final"), (("corrected",), "amended"), (("appended",), "amended"),
        (("preliminary", "final"), "final"), (("final", "amended"), "amended"), (("final", "cancelled"), "final"),
    ],
)  # fmt: skip
def test_the_word_for_the_reports(statuses: tuple[str, ...], word: str) -> None:
    reports = [report(f"r{at}", status=status, based_on=ORDER) for at, status in enumerate(statuses)]
    (study,) = merged(ehr(based_on=ORDER), *reports)
    assert report_status(study.reports) == word


def test_the_newest_report_comes_first() -> None:
    late, early = STARTED, datetime(2020, 1, 1, tzinfo=UTC)
    rows = [
        report("r0", based_on=ORDER),
        report("r1", issued=early, based_on=ORDER),
        report("r2", issued=late, based_on=ORDER),
    ]
    (study,) = merged(ehr(based_on=ORDER), *rows)
    assert [(report.id, report.issued) for report in study.reports] == [("r2", late), ("r1", early), ("r0", None)]
