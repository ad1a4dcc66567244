"""How far an app reaches into a record: series by series, and never by what is not known."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given

from smartapp.consent.aliases import alias, study_id
from smartapp.consent.facts import ReportKnown, SeriesFacts, StudyFacts
from smartapp.consent.grants.model import Terms
from smartapp.consent.reach import Reach
from smartapp.consent.scopes.grammar import parse
from smartapp.consent.scopes.model import Scopes
from tests.consent import archive
from tests.consent.archive import ALL, ANA, V3, Ask, ask_allows, leaves, report, terms_allow, written

CT, PT, SR = (SeriesFacts(f"1.2.9.{kind}", kind, frozenset({"CHEST"})) for kind in ("CT", "PT", "SR"))
PET_CT = StudyFacts(
    uid="1.2.9",
    owners=frozenset({ANA}),
    started=date(2025, 1, 1),
    modalities=frozenset({"CT", "PT", "SR"}),
    body_sites=frozenset({"51185008"}),
    series=(CT, PT, SR),
    status="available",
)


def reach(scopes: str = "patient/*.rs", **terms: object) -> Reach:
    return Reach(parse(scopes), Terms(scopes=ALL, **terms), str)  # type: ignore[arg-type]  # of the field's own


def seen(of: Reach, study: StudyFacts = PET_CT) -> list[str]:
    return [series.modality for series in study.series if of.series(study, series, "r")]


@pytest.mark.promise("B3")
@pytest.mark.threat("A11")
@pytest.mark.parametrize(
    "narrow",
    [reach(modalities=frozenset({"CT"})), reach("patient/ImagingStudy.rs?modality=CT")],
    ids=["terms", "scope"],
)
def test_a_permission_for_ct_reaches_the_ct_of_a_pet_ct_and_no_report_in_it(narrow: Reach) -> None:
    assert narrow.study(PET_CT, "r")
    assert seen(narrow) == ["CT"]
    assert not narrow.study(replace(PET_CT, series=(PT, SR)), "r")
    assert not narrow.study(replace(PET_CT, series=(), modalities=frozenset({"PT"})), "r")


@pytest.mark.threat("A11")
def test_structured_reports_are_reached_when_their_own_kind_is_granted() -> None:
    assert seen(reach(modalities=frozenset({"CT", "SR"}))) == ["CT", "SR"]
    assert seen(reach()) == ["CT", "PT", "SR"]


@pytest.mark.promise("B3")
@pytest.mark.threat("A12")
@pytest.mark.parametrize(
    ("sites", "reached"),
    [
        ({"CHEST"}, True),
        ({"chest "}, True),
        ({"51185008"}, True),
        ({"51185008", "CHEST"}, True),
        (set(), False),
        ({""}, False),
        ({"the lungs, please"}, False),
        ({"HEAD"}, False),
        ({"CHEST", "HEAD"}, False),
    ],
)
@pytest.mark.parametrize(
    "narrow",
    [reach(body_sites=frozenset({"51185008"})), reach("patient/ImagingStudy.rs?bodysite=CHEST")],
    ids=["terms", "scope"],
)
def test_the_part_of_the_body_is_the_series_own_and_unknown_is_no(
    narrow: Reach,
    sites: set[str],
    reached: bool,  # noqa: FBT001 - a table
) -> None:
    series = SeriesFacts("1.2.9.1", "CT", frozenset(sites))
    study = replace(PET_CT, series=(series,))
    assert narrow.series(study, series, "r") is reached
    assert narrow.study(study, "r") is reached


@pytest.mark.threat("A12")
def test_parts_of_the_body_that_name_nothing_reach_nothing() -> None:
    assert not reach(body_sites=frozenset({" "})).study(PET_CT, "r")


@pytest.mark.promise("B3")
@pytest.mark.threat("A13")
@pytest.mark.parametrize(
    ("started", "first", "last", "reached"),
    [
        (date(2025, 1, 1), date(2025, 1, 1), None, True),
        (date(2024, 12, 31), date(2025, 1, 1), None, False),
        (date(2025, 1, 1), None, date(2025, 1, 1), True),
        (date(2025, 1, 2), None, date(2025, 1, 1), False),
        (None, date(2025, 1, 1), None, False),
        (None, None, date(2025, 1, 1), False),
        (None, None, None, True),
    ],
)
def test_both_ends_of_a_range_count_and_a_missing_date_is_in_none(
    started: date | None,
    first: date | None,
    last: date | None,
    reached: bool,  # noqa: FBT001 - a table
) -> None:
    study = replace(PET_CT, started=started)
    assert reach(started_from=first, started_to=last).study(study, "s") is reached
    query = "&".join([f"started=ge{first}"] * bool(first) + [f"started=le{last}"] * bool(last))
    assert reach(f"patient/ImagingStudy.rs{'?' * bool(query)}{query}").study(study, "s") is reached


@pytest.mark.threat("A31")
@pytest.mark.parametrize(
    ("label", "withheld"),
    [
        (f"{V3}|R", True),
        (f"{V3}|V", True),
        (f"{V3}|N", False),
        ("http://terminology.hl7.org/CodeSystem/v3-ActCode|HIV", True),
        ("http://terminology.hl7.org/CodeSystem/v3-ActReason|HTEST", False),
        ("urn:hospital|VIP", True),
        ("|N", True),
    ],
)
def test_a_labelled_study_is_withheld_under_any_scope_until_it_is_ticked_itself(
    label: str,
    withheld: bool,  # noqa: FBT001 - a table
) -> None:
    study = replace(PET_CT, labels=frozenset({label, f"{V3}|N"}))
    assert reach().study(study, "r") is not withheld
    assert reach().report(study, report(), "r") is not withheld
    assert reach(chosen=frozenset({"1.2.9"})).study(study, "r") is not withheld
    assert reach(sensitive=frozenset({"1.2.9"})).study(study, "r")
    assert reach().report(None, report(labels=frozenset({label})), "r") is not withheld


@pytest.mark.promise("B2")
def test_chosen_studies_are_all_there_are_and_no_list_means_future_ones_too() -> None:
    assert reach(chosen=frozenset({"1.2.9"}), future=False).study(PET_CT, "r")
    assert not reach(chosen=frozenset({"1.2.8"})).study(PET_CT, "r")
    assert not reach(chosen=frozenset()).study(PET_CT, "r")
    assert not reach(chosen=None, future=False).study(PET_CT, "r")


@pytest.mark.promise("B3")
def test_the_newest_terms_narrow_a_token_that_was_issued_before_them() -> None:
    token = parse("patient/ImagingStudy.rs patient/DiagnosticReport.rs")
    ticked = parse("patient/ImagingStudy.r?modality=CT")
    now = Reach(token, Terms(scopes=ticked), str)
    assert now.study(PET_CT, "r")
    assert not now.study(PET_CT, "s")
    assert seen(now) == ["CT"]
    assert not now.may("DiagnosticReport", "r")
    assert not now.report(PET_CT, report(), "r")


@pytest.mark.parametrize("level", ["user", "system"])
def test_user_and_system_scopes_reach_nothing_under_a_patients_grant(level: str) -> None:
    other = reach(f"{level}/*.cruds")
    assert not other.may("ImagingStudy", "r")
    assert not other.may_anything()
    assert not other.study(PET_CT, "r")
    assert not other.report(None, report(), "r")


@pytest.mark.promise("B3")
def test_filters_by_uid_and_id_mean_what_the_app_is_shown() -> None:
    def masked(scopes: str) -> Reach:
        return Reach(parse(scopes), Terms(scopes=ALL, images="deidentified"), lambda uid: alias("key", uid))

    shown = alias("key", PET_CT.uid)
    of = "patient/ImagingStudy.rs"
    for query in (f"identifier=urn:oid:{shown}", f"_id={study_id(ANA.provider, shown)}"):
        assert masked(f"{of}?{query}").study(PET_CT, "r"), query
    for query in (f"identifier=urn:oid:{PET_CT.uid}", f"_id={study_id(ANA.provider, PET_CT.uid)}"):
        assert not masked(f"{of}?{query}").study(PET_CT, "r"), query
        assert reach(f"{of}?{query}").study(PET_CT, "r"), query
    accession = replace(PET_CT, identifiers=frozenset({"urn:st-elsewhere|A1"}))
    assert reach(f"{of}?identifier=urn:st-elsewhere|A1").study(accession, "r")
    assert not reach(f"{of}?identifier=urn:other|A1").study(accession, "r")
    assert not reach(f"{of}?_id={study_id(ANA.provider, PET_CT.uid)}").study(replace(PET_CT, owners=frozenset()), "r")


@pytest.mark.promise("B3")
@pytest.mark.parametrize(
    ("query", "known", "reached"),
    [
        ("", report(), True),
        ("category=RAD", report(), True),
        ("category=http://terminology.hl7.org/CodeSystem/v2-0074|RAD", report(), True),
        ("category=urn:other|RAD", report(), False),
        ("category=|RAD", report(), False),
        ("category=RAD", report(categories=frozenset()), False),
        ("category=urn:x|RAD", report(categories=frozenset({"RAD"})), False),
        ("code=http://loinc.org|24627-2,1", report(), True),
        ("code=http://loinc.org|1", report(), False),
        ("status=final", report(), True),
        ("status=preliminary", report(), False),
        ("status=final", report(status=""), False),
        ("date=ge2024-03-01", report(), True),
        ("date=gt2024-03-01", report(), False),
        ("date=ne2023", report(date=None), False),
        ("_id=rep-1", report(), True),
        ("_id=rep-2", report(), False),
        ("category=RAD&status=amended", report(), False),
    ],
)
def test_a_report_is_reached_by_its_own_scope(
    query: str,
    known: ReportKnown,
    reached: bool,  # noqa: FBT001 - a table
) -> None:
    scoped = reach(f"patient/DiagnosticReport.r{'?' * bool(query)}{query}")
    assert scoped.report(PET_CT, known, "r") is reached
    assert scoped.report(None, known, "r") is reached
    assert not scoped.report(PET_CT, known, "s")


@pytest.mark.promise("B2")
@pytest.mark.parametrize(
    ("terms", "paired", "unpaired"),
    [
        ({}, True, True),
        ({"reports": False}, False, False),
        ({"modalities": frozenset({"CT"})}, True, False),
        ({"modalities": frozenset({"MR"})}, False, False),
        ({"body_sites": frozenset({"CHEST"})}, True, False),
        ({"started_from": date(2025, 1, 1)}, True, False),
        ({"started_to": date(2024, 1, 1)}, False, False),
        ({"chosen": frozenset({"1.2.9"})}, True, False),
        ({"chosen": frozenset({"1.2.8"})}, False, False),
        ({"images": "none"}, True, True),
    ],
)
def test_a_report_goes_with_its_study_and_one_without_goes_with_all(
    terms: dict[str, object],
    paired: bool,  # noqa: FBT001 - a table
    unpaired: bool,  # noqa: FBT001 - a table
) -> None:
    under = reach("patient/*.rs", **terms)
    assert under.report(PET_CT, report(), "r") is paired
    assert under.report(None, report(), "r") is unpaired
    assert under.reports_of(PET_CT) is paired
    for type_ in ("DiagnosticReport", "DocumentReference", "Binary"):
        assert under.may(type_, "r") is terms.get("reports", True)


def test_other_resources_are_reached_by_the_filters_that_their_types_have() -> None:
    active = {"status": {"http://hl7.org/fhir/consent-state-codes|active"}, "category": set[str]()}
    assert reach("patient/Consent.r?status=active").resource("Consent", "r", active)
    assert not reach("patient/Consent.r?status=inactive").resource("Consent", "r", active)
    assert not reach("patient/Consent.r?category=x").resource("Consent", "r", active)
    assert not reach("patient/Consent.s").resource("Consent", "r", active)
    assert reach("patient/*.r").resource("Consent", "r", {})


def test_who_granted_may_be_named_where_the_word_for_it_was_granted() -> None:
    words = replace(ALL, words=frozenset({"openid", "fhirUser"}))
    assert Reach(parse("openid fhirUser"), Terms(scopes=words), str).may_name_user()
    assert not Reach(parse("openid"), Terms(scopes=words), str).may_name_user()
    assert not Reach(parse("fhirUser"), Terms(scopes=ALL), str).may_name_user()


@pytest.mark.promise("B3")
@given(archive.asks, archive.asks, archive.terms, archive.archives)
def test_token_grant_and_terms_all_have_to_allow_it(
    token: list[Ask], ticked: list[Ask], terms: Terms, studies: list[StudyFacts]
) -> None:
    terms = replace(terms, scopes=parse(written(ticked)))
    both = Reach(parse(written(token)), terms, str)
    for letter in "rs":
        for study in studies:
            here = [
                series
                for _, series in leaves([study])
                if terms_allow(terms, study, series)
                and any(ask_allows(ask, study, series, letter) for ask in token)
                and any(ask_allows(ask, study, series, letter) for ask in ticked)
            ]
            assert both.study(study, letter) is bool(here)
            assert [one for one in study.series if both.series(study, one, letter)] == [one for one in here if one]


@given(archive.terms, archive.terms, archive.archives)
def test_a_further_term_never_reaches_more(one: Terms, two: Terms, studies: list[StudyFacts]) -> None:
    everything: Scopes = parse("patient/*.rs")
    wide = Reach(everything, one, str)
    for name in ("chosen", "modalities", "body_sites", "started_from", "started_to", "reports"):
        if getattr(one, name) not in (None, frozenset(), True):
            continue
        narrow = Reach(everything, replace(one, **{name: getattr(two, name)}), str)
        for study in studies:
            if name == "chosen" and not one.future:
                continue
            assert wide.study(study, "r") or not narrow.study(study, "r")
            assert wide.report(study, report(), "r") or not narrow.report(study, report(), "r")
