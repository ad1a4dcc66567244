"""A small archive, and what scopes and terms allow of it: naive and slow, on text, sharing no code with the product."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from hypothesis import strategies as st

from smartapp.consent.facts import ReportKnown, SeriesFacts, StudyFacts
from smartapp.consent.grants.model import Terms
from smartapp.consent.scopes.grammar import parse
from smartapp.identity.model import PatientKey

ANA = PatientKey("st-elsewhere", "ana")
DCM = "http://dicom.nema.org/resources/ontology/DCM"
SCT = "http://snomed.info/sct"
V3 = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
IMAGING, REPORT = "ImagingStudy", "DiagnosticReport"

ALL = parse("patient/*.cruds user/*.cruds system/*.cruds")

Filter = tuple[str, tuple[str, ...]]
Matches = Callable[[str], bool]


@dataclass(frozen=True)
class Ask:
    """One scope, in pieces."""

    type: str
    letters: str
    filters: tuple[Filter, ...] = ()
    level: str = "patient"

    def __str__(self) -> str:
        query = "&".join(f"{name}={','.join(values)}" for name, values in self.filters)
        return f"{self.level}/{self.type}.{self.letters}{'?' * bool(query)}{query}"


def written(asks: list[Ask]) -> str:
    return " ".join(map(str, asks))


PLACES = {"CHEST": "chest", "chest": "chest", "51185008": "chest", "HEAD": "head", "69536005": "head", "LUNG": "lung"}


def same_place(value: str, name: str) -> bool:
    system, _, code = value.rpartition("|")
    if "|" in value and (system != SCT or not code.isdigit()):
        return False
    return code in PLACES and PLACES.get(name) == PLACES[code]


def on_day(value: str, day: date | None) -> bool:
    prefix, digits = (value[:2], value[2:]) if value[:1].isalpha() else ("eq", value)
    if day is None:
        return False
    here = day.isoformat()[: len(digits)]
    return {
        "eq": here == digits, "ne": here != digits, "gt": here > digits, "sa": here > digits, "lt": here < digits,
        "eb": here < digits, "ge": here >= digits, "le": here <= digits,
    }[prefix]  # fmt: skip


def is_modality(value: str, modality: str) -> bool:
    return value in {modality, f"{DCM}|{modality}"}


def of_study(study: StudyFacts, name: str, value: str) -> bool:
    if name == "started":
        return on_day(value, study.started)
    if name == "status":
        return value in {study.status, f"http://hl7.org/fhir/imagingstudy-status|{study.status}"}
    assert name == "identifier"
    return value in {f"urn:oid:{study.uid}", f"urn:dicom:uid|urn:oid:{study.uid}"}


def of_series(series: SeriesFacts, name: str, value: str) -> bool:
    if name == "modality":
        return is_modality(value, series.modality)
    named = {PLACES.get(site, site) for site in series.body_sites}
    return len(named) == 1 and any(same_place(value, site) for site in series.body_sites)


def of_whole(study: StudyFacts, name: str, value: str) -> bool:
    if name == "modality":
        return any(is_modality(value, one) for one in study.modalities)
    return any(same_place(value, one) for one in study.body_sites)


def ask_allows(ask: Ask, study: StudyFacts, series: SeriesFacts | None, letter: str) -> bool:
    """Whether one scope alone allows a series, or a study whose series nobody knows."""
    if ask.level != "patient" or ask.type not in {IMAGING, "*"} or letter not in ask.letters:
        return False
    for name, values in ask.filters:
        if name not in {"modality", "bodysite"}:
            held = any(of_study(study, name, value) for value in values)
        elif series is None:
            held = any(of_whole(study, name, value) for value in values)
        else:
            held = any(of_series(series, name, value) for value in values)
        if not held:
            return False
    return True


def terms_allow(terms: Terms, study: StudyFacts, series: SeriesFacts | None) -> bool:
    named = study.uid in terms.chosen if terms.chosen is not None else terms.future
    early = terms.started_from is not None and (study.started is None or study.started < terms.started_from)
    late = terms.started_to is not None and (study.started is None or study.started > terms.started_to)
    secret = any(not label.endswith("|N") for label in study.labels) and study.uid not in terms.sensitive
    if not named or early or late or secret:
        return False
    for name, values in (("modality", terms.modalities), ("bodysite", terms.body_sites)):
        held = (of_whole(study, name, v) if series is None else of_series(series, name, v) for v in values)
        if values and not any(held):
            return False
    return True


def leaves(studies: list[StudyFacts]) -> Iterator[tuple[StudyFacts, SeriesFacts | None]]:
    """Every series; and each study whose series are not known."""
    for study in studies:
        yield from ((study, series) for series in study.series) if study.series else ((study, None),)


modalities = st.sampled_from(["CT", "MR", "PT", "SR", ""])
sites = st.frozensets(st.sampled_from(["CHEST", "51185008", "HEAD", "69536005", "LUNG", "by the sea", ""]), max_size=2)
dates = st.none() | st.sampled_from([date(2023, 12, 31), date(2024, 1, 1), date(2024, 2, 29), date(2025, 6, 1)])
UIDS = ["1.2.1", "1.2.2", "1.2.3", "1.2.4"]


@st.composite
def a_study(draw: st.DrawFn, uid: str) -> StudyFacts:
    series = tuple(
        SeriesFacts(f"{uid}.{number}", draw(modalities), draw(sites)) for number in range(draw(st.integers(0, 3)))
    )
    return StudyFacts(
        uid=uid,
        owners=frozenset({ANA}),
        started=draw(dates),
        modalities=frozenset(one.modality for one in series) or draw(st.frozensets(modalities, max_size=2)),
        body_sites=draw(sites),
        labels=draw(st.frozensets(st.sampled_from([f"{V3}|N", f"{V3}|R"]), max_size=1)),
        series=series,
        status=draw(st.sampled_from(["available", "cancelled", ""])),
    )


archives = st.tuples(*(a_study(uid) for uid in UIDS)).map(list)

_values = {
    "modality": ["CT", "MR", f"{DCM}|PT", f"{DCM}|CT", "|CT", "urn:other|CT", "SR"],
    "bodysite": ["CHEST", "chest", "51185008", f"{SCT}|51185008", "HEAD", f"{SCT}|CHEST", "LUNG", "|CHEST"],
    "started": [
        "2024",
        "ge2024-01-01",
        "le2024-02",
        "ne2024-01-01",
        "gt2023",
        "lt2024-02-29",
        "sa2024",
        "eb2025-06-01",
    ],
    "status": ["available", "http://hl7.org/fhir/imagingstudy-status|available", "cancelled"],
    "identifier": ["urn:oid:1.2.1", "urn:dicom:uid|urn:oid:1.2.2", "urn:oid:1.2.3", "1.2.3"],
}


def _filters(name: str) -> st.SearchStrategy[Filter]:
    return st.lists(st.sampled_from(_values[name]), min_size=1, max_size=3, unique=True).map(lambda v: (name, tuple(v)))


filters = st.lists(st.sampled_from(sorted(_values)).flatmap(_filters), max_size=3).map(tuple)
letters = st.sampled_from(["r", "s", "rs", "cruds", "cud", "ru"])
levels = st.sampled_from(["patient"] * 4 + ["user", "system"])
ask = st.builds(Ask, st.just(IMAGING), letters, filters, levels) | st.builds(
    Ask, st.sampled_from(["*", REPORT, "Patient"]), letters, st.just(()), levels
)
asks = st.lists(ask, max_size=3)

terms = st.builds(
    Terms,
    scopes=st.just(ALL),
    chosen=st.none() | st.frozensets(st.sampled_from(UIDS)),
    modalities=st.frozensets(st.sampled_from(["CT", "MR", "PT"]), max_size=2),
    body_sites=st.frozensets(st.sampled_from(["CHEST", "69536005", "LUNG"]), max_size=2),
    started_from=dates,
    started_to=dates,
    reports=st.booleans(),
    future=st.booleans(),
    sensitive=st.frozensets(st.sampled_from(UIDS), max_size=2),
)


def report(**more: object) -> ReportKnown:
    facts: dict[str, object] = {
        "id": "rep-1",
        "categories": frozenset({"http://terminology.hl7.org/CodeSystem/v2-0074|RAD"}),
        "code": frozenset({"http://loinc.org|24627-2"}),
        "date": date(2024, 3, 1),
        "status": "final",
    }
    return ReportKnown(**{**facts, **more})  # type: ignore[arg-type]  # as named above
