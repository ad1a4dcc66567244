"""An app gets a permit for what its grant reaches, on record first, and only while the grant stands."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from smartapp.access.service import Access
from smartapp.consent.grants.model import Terms
from smartapp.consent.model import Action, AppPrincipal, Extent, Permit, Purpose, SeriesFacts
from smartapp.consent.policy import decide
from smartapp.consent.scopes.grammar import parse
from smartapp.errors import AccessDenied, AuditUnavailable, GrantHeld, NotFound, PermitEnded, ScopeMissing
from smartapp.identity.model import PrincipalKind
from tests.access.faults import broken
from tests.access.house import ANA, BEN, House, study
from tests.access.trail import detail, kinds, rows


@dataclass
class Living:
    """The grants that stand, as a store of tokens would read them at each call."""

    grants: dict[str, int] = field(default_factory=lambda: {"gra-1": 1})
    asked: int = 0

    def require_live(self, principal: AppPrincipal) -> None:
        self.asked += 1
        if self.grants.get(principal.grant_id) != principal.grant_version:
            raise PermitEnded


def app(house: House, scopes: str = "patient/*.rs", **terms: object) -> AppPrincipal:
    return AppPrincipal(
        kind=PrincipalKind.APP,
        person_id="per-1",
        session_id="gra-1",
        context_id="fam-1",
        patient=ANA,
        credential_id="cred-1",
        expires_at=house.clock.now() + timedelta(hours=1),
        client_id="app-1",
        grant_id="gra-1",
        grant_version=1,
        scopes=parse(scopes),
        terms=Terms(scopes=parse("patient/*.rs"), **terms),  # type: ignore[arg-type]  # of the field's own
    )


@pytest.fixture
def living() -> Living:
    return Living()


@pytest.fixture
def access(house: House, living: Living) -> Access:
    return Access(decide, house.audit, house.identity, house.clock, living)


def view(access: Access, who: AppPrincipal, *uids: str, action: Action = Action.VIEW_IMAGES) -> Permit:
    studies = [study(uid) for uid in uids or ("1.2.3",)]
    return access.permit(who, action, studies, extent=Extent.SUMMARY, request_id="req-1")


@pytest.mark.promise("B3")
@pytest.mark.promise("E1")
def test_an_app_gets_a_permit_that_says_under_which_grant_and_how_far(house: House, access: Access) -> None:
    who = app(house, chosen=frozenset({"1.2.3"}), modalities=frozenset({"CT"}), purpose="HRESCH")
    permit = view(access, who, "1.2.3", "1.2.4")
    assert permit.studies == {"1.2.3"}
    assert (permit.purpose, permit.letter) == (Purpose.HRESCH, "r")
    assert permit.shows_series(study("1.2.3"), SeriesFacts("1.2.3.1", "CT"))
    assert not permit.shows_series(study("1.2.3"), SeriesFacts("1.2.3.2", "SR"))
    told = detail(house, rows(house, "disclosure.opened")[0], ANA)
    assert (told["authority"], told["purpose"]) == ("grant app-1", "HRESCH")


def test_a_person_sees_every_series_of_what_is_theirs(house: House) -> None:
    permit = house.access.permit(house.principal(), Action.VIEW_IMAGES, [study()], extent=Extent.IMAGES, request_id="r")
    assert permit.reach is None
    assert permit.shows_series(study(), SeriesFacts("1", "SR"))


@pytest.mark.promise("B4")
@pytest.mark.threat("A20")
def test_the_grant_is_read_anew_at_every_check(house: House, access: Access, living: Living) -> None:
    who = app(house)
    permit = view(access, who)
    before = living.asked
    permit.check()
    permit.check()
    assert living.asked == before + 2
    living.grants["gra-1"] = 2  # narrowed: another version
    with pytest.raises(PermitEnded):
        permit.check()
    view(access, replace(who, grant_version=2)).check()
    del living.grants["gra-1"]
    for ask in (lambda: view(access, replace(who, grant_version=2)), lambda: access.index(who, "r")):
        with pytest.raises(PermitEnded):
            ask()


def test_an_access_token_ends_by_the_clock(house: House, access: Access) -> None:
    permit = view(access, app(house))
    house.clock.advance(3600)
    with pytest.raises(PermitEnded):
        permit.check()


def test_without_somebody_who_keeps_grants_no_app_is_live(house: House) -> None:
    with pytest.raises(PermitEnded):
        view(house.access, app(house))
    assert "disclosure.opened" not in kinds(house)


def test_a_held_grant_says_why(house: House) -> None:
    class Paused:
        def require_live(self, principal: AppPrincipal) -> None:
            raise GrantHeld("paused" if principal.grant_id == "gra-1" else "unknown")

    with pytest.raises(GrantHeld, match="grant-paused"):
        view(Access(decide, house.audit, house.identity, house.clock, Paused()), app(house))


@pytest.mark.promise("B3")
def test_a_token_without_the_kind_of_right_is_told_so_and_it_is_written_down(house: House, access: Access) -> None:
    with pytest.raises(ScopeMissing):
        view(access, app(house, "patient/ImagingStudy.s"))
    (row,) = rows(house, "authz.denied")
    assert detail(house, row, ANA)["reasons"] == "insufficient-scope"
    assert "disclosure.opened" not in kinds(house)


@pytest.mark.promise("B2")
def test_without_images_there_are_none_and_the_app_is_told(house: House, access: Access) -> None:
    with pytest.raises(AccessDenied) as raised:
        view(access, app(house, images="none"))
    assert not isinstance(raised.value, ScopeMissing)
    assert [reason.code for reason in raised.value.reasons] == ["images-not-granted"]
    assert view(access, app(house, images="none"), action=Action.READ).studies == {"1.2.3"}


@pytest.mark.promise("B3")
@pytest.mark.parametrize("action", [Action.READ, Action.READ_REPORT, Action.VIEW_IMAGES])
def test_outside_the_grant_is_as_if_it_were_not_there(house: House, access: Access, action: Action) -> None:
    who = app(house, chosen=frozenset({"1.2.9"}))
    facts = [study("1.2.3"), study("1.2.9", BEN)]
    for each in facts:
        with pytest.raises(NotFound):
            access.permit(who, action, [each], extent=Extent.SUMMARY, request_id="r")
    told = [detail(house, row, ANA)["reasons"] for row in rows(house, "authz.denied")]
    assert told == ["outside-grant", "foreign"]
    assert "disclosure.opened" not in kinds(house)


def test_an_app_has_the_index_refreshed_with_any_right_and_not_without(house: House, access: Access) -> None:
    assert access.index(app(house, "patient/DiagnosticReport.r"), "r").patient == ANA
    with pytest.raises(ScopeMissing):
        access.index(app(house, "openid"), "r")
    assert len(rows(house, "access.index")) == 1


def test_a_purpose_that_is_none_reaches_nothing(house: House, access: Access) -> None:
    with pytest.raises(AccessDenied, match="no-rule"):
        view(access, app(house, purpose="SELL"))


@pytest.mark.promise("E1")
def test_without_a_trail_an_app_gets_no_permit_and_no_reason(house: House, access: Access) -> None:
    for who in (app(house), app(house, "openid"), app(house, chosen=frozenset())):
        with broken(house.database, "audit_events"), pytest.raises(AuditUnavailable):
            view(access, who)
