"""Registrations: secrets handed out once, one token for one app, and decisions that hold at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from smartapp.errors import BadInput, NotFound, NotSignedIn
from smartapp.identity.apps.model import App, AppMetadata, AppState, AuthMethod
from smartapp.identity.apps.rows import metadata as read
from smartapp.identity.apps.rows import said
from tests.tokens.apps.house import OTHER, PROVIDER, AppHouse, metadata

KEYS = {"keys": [{"kty": "EC", "kid": "1"}]}


@pytest.mark.promise("B1")
@pytest.mark.clause("RFC 7591", "3.2.1")
def test_a_registration_is_found_as_it_was_made(worker: AppHouse) -> None:
    said_of_itself = metadata("private_key_jwt", jwks=KEYS, post_logout_redirect_uris=("https://app.example/bye",))
    made = worker.apps.register(
        said_of_itself, provider=PROVIDER, state=AppState.PENDING, developer_id="dev-1", request_id="req"
    )
    with worker.another() as other:
        found = other.apps.find(PROVIDER, made.app.client_id)
    assert found == made.app
    assert found.metadata == said_of_itself
    assert (made.client_secret, found.state, found.developer_id) == (None, AppState.PENDING, "dev-1")
    assert worker.apps.find(OTHER, made.app.client_id) is None
    assert worker.kinds() == ["dcr.registered"]


@pytest.mark.parametrize("method", ["none", "client_secret_basic", "private_key_jwt"])
def test_secrets_are_made_of_characters_that_need_no_encoding(house: AppHouse, method: AuthMethod) -> None:
    made = house.apps.register(metadata(method), provider=PROVIDER, state=AppState.ACTIVE)
    given_out = [made.app.client_id, made.registration_token, *([made.client_secret] if made.client_secret else [])]
    assert (made.client_secret is not None) is (method == "client_secret_basic")
    for each in given_out:
        assert each.replace("-", "").replace("_", "").isalnum()
        assert each.isascii()


@pytest.mark.promise("E2")
def test_no_secret_is_readable_in_the_tables_or_in_a_repr(house: AppHouse) -> None:
    made = house.apps.register(metadata("client_secret_basic"), provider=PROVIDER, state=AppState.ACTIVE)
    with house.database.read() as session:
        (row,) = session.execute(text("SELECT * FROM apps")).all()
    for secret in (made.client_secret, made.registration_token):
        assert secret
        assert secret not in repr(tuple(row))
    assert made.client_secret
    assert made.client_secret not in repr(made)
    assert made.registration_token not in repr(made)


def test_a_secret_is_its_own_apps_and_can_be_exchanged(house: AppHouse) -> None:
    one = house.apps.register(metadata("client_secret_basic"), provider=PROVIDER, state=AppState.ACTIVE)
    two = house.apps.register(metadata("client_secret_basic"), provider=PROVIDER, state=AppState.ACTIVE)
    assert one.client_secret
    assert house.apps.check_secret(one.app, one.client_secret)
    for wrong in ("", one.client_secret + "A", one.client_secret[:-1], two.client_secret or "", "\ud800", "\0"):
        assert not house.apps.check_secret(one.app, wrong)
    fresh = house.apps.new_secret(one.app, request_id="req")
    changed = found(house, one.app)
    assert house.apps.check_secret(changed, fresh)
    assert not house.apps.check_secret(changed, one.client_secret)


@pytest.mark.parametrize("secret", ["", "scs_x"])
def test_an_app_without_a_secret_has_none_to_show(house: AppHouse, secret: str) -> None:
    assert not house.apps.check_secret(house.app("none"), secret)


@pytest.mark.threat("O56")
@pytest.mark.clause("RFC 7592", "2")
def test_a_registration_token_opens_its_own_app_only(worker: AppHouse) -> None:
    one = worker.apps.register(metadata(), provider=PROVIDER, state=AppState.ACTIVE)
    two = worker.apps.register(metadata(), provider=PROVIDER, state=AppState.ACTIVE)
    assert worker.apps.by_registration_token(PROVIDER, one.app.client_id, one.registration_token) == one.app
    with pytest.raises(NotSignedIn):
        worker.apps.by_registration_token(PROVIDER, two.app.client_id, one.registration_token, request_id="req")
    assert worker.kinds(severity="high") == ["dcr.idor"]
    for wrong in ("", one.registration_token + "A", "\ud800", "\0"):
        with pytest.raises(NotSignedIn):
            worker.apps.by_registration_token(PROVIDER, one.app.client_id, wrong)
    with pytest.raises(NotSignedIn):
        worker.apps.by_registration_token(OTHER, one.app.client_id, one.registration_token)
    assert worker.kinds(severity="high") == ["dcr.idor"]


def test_what_it_says_can_be_changed_and_what_it_loses_is_gone(worker: AppHouse) -> None:
    made = worker.apps.register(metadata("client_secret_basic"), provider=PROVIDER, state=AppState.ACTIVE)
    kept = worker.apps.update(made.app, metadata("client_secret_basic", client_name="Another"), request_id="req")
    assert kept.metadata.client_name == "Another"
    assert made.client_secret
    assert worker.apps.check_secret(kept, made.client_secret)
    moved = worker.apps.update(made.app, metadata("none", redirect_uris=("https://moved.example/cb",)))
    assert moved == found(worker, made.app)
    assert moved.secret_ref == ""
    assert worker.apps.origin_known(PROVIDER, "https://moved.example")
    assert not worker.apps.origin_known(PROVIDER, "https://app.example")
    assert worker.kinds() == ["dcr.registered", "dcr.updated", "dcr.updated"]


def test_a_deleted_app_is_gone_for_everything_but_history(worker: AppHouse) -> None:
    made = worker.apps.register(metadata("client_secret_basic"), provider=PROVIDER, state=AppState.ACTIVE)
    app = made.app
    worker.apps.delete(app, request_id="req")
    worker.apps.delete(app, request_id="req")
    assert worker.apps.find(PROVIDER, app.client_id) is None
    named = worker.apps.named(PROVIDER, app.client_id)
    assert named is not None
    assert (named.state, named.secret_ref, named.registration_ref) == (AppState.DELETED, "", "")
    assert worker.apps.list() == ()
    assert worker.apps.list(state=AppState.DELETED) == (named,)
    assert not worker.apps.origin_known(PROVIDER, "https://app.example")
    with pytest.raises(NotSignedIn):
        worker.apps.by_registration_token(PROVIDER, app.client_id, made.registration_token)
    for change in (
        lambda: worker.apps.update(app, metadata()),
        lambda: worker.apps.new_secret(app),
        lambda: worker.apps.decide(PROVIDER, app.client_id, AppState.ACTIVE, ground="", by="op"),
    ):
        with pytest.raises(NotFound):
            change()
    assert worker.kinds() == ["dcr.registered", "dcr.deleted"]


@pytest.mark.promise("B1")
@pytest.mark.parametrize("state", [AppState.REFUSED, AppState.SUSPENDED])
def test_a_refusal_needs_a_ground(house: AppHouse, state: AppState) -> None:
    app = house.app()
    for ground in ("", "  \n"):
        with pytest.raises(BadInput):
            house.apps.decide(PROVIDER, app.client_id, state, ground=ground, by="op")
    assert found(house, app).state is AppState.ACTIVE
    decided = house.apps.decide(PROVIDER, app.client_id, state, ground="its keys leaked", by="op")
    assert (decided.state, decided.ground, decided.decided_at) == (state, "its keys leaked", house.clock.now())
    assert house.kinds(severity="high") == (["app.decided"] if state is AppState.SUSPENDED else [])


def test_a_decision_changes_only_what_it_names(house: AppHouse) -> None:
    app = house.app(state=AppState.PENDING)
    limited = house.apps.decide(
        PROVIDER,
        app.client_id,
        AppState.ACTIVE,
        ground="",
        by="op",
        offered="patient/ImagingStudy.rs",
    )
    assert limited.scope == "patient/ImagingStudy.rs"
    again = house.apps.decide(PROVIDER, app.client_id, AppState.SUSPENDED, ground="g", by="op")
    assert again.scope == limited.scope
    lifted = house.apps.decide(PROVIDER, app.client_id, AppState.ACTIVE, ground="", by="op", offered="")
    assert lifted == found(house, app)
    assert lifted.scope == app.metadata.scope


def test_the_operator_deletes_nothing_and_decides_nothing_elsewhere(house: AppHouse) -> None:
    app = house.app()
    with pytest.raises(BadInput):
        house.apps.decide(PROVIDER, app.client_id, AppState.DELETED, ground="g", by="op")
    for provider, client_id in ((OTHER, app.client_id), (PROVIDER, "app-x"), (PROVIDER, "\0"), (PROVIDER, "\ud800")):
        with pytest.raises(NotFound):
            house.apps.decide(provider, client_id, AppState.ACTIVE, ground="", by="op")


@pytest.mark.parametrize("client_id", ["", "\0", "\ud800", "x" * 65, "' OR 1=1", "app-é", "app-x\n"])
def test_any_text_may_be_asked_for(worker: AppHouse, client_id: str) -> None:
    assert worker.apps.find(PROVIDER, client_id) is None


def test_lists(worker: AppHouse) -> None:
    def register(provider: str, state: AppState, developer: str) -> App:
        worker.clock.advance(1)
        return worker.apps.register(metadata(), provider=provider, state=state, developer_id=developer).app

    one = register(PROVIDER, AppState.PENDING, "dev-1")
    two = register(PROVIDER, AppState.ACTIVE, "dev-2")
    three = register(OTHER, AppState.ACTIVE, "dev-1")
    assert worker.apps.list() == (three, two, one)
    assert worker.apps.list(PROVIDER) == (two, one)
    assert worker.apps.list(state=AppState.ACTIVE) == (three, two)
    assert worker.apps.list(PROVIDER, AppState.PENDING) == (one,)
    assert worker.apps.of_developer("dev-1") == (three, one)


@pytest.mark.parametrize(
    ("origin", "known"),
    [
        ("https://app.example", True),
        ("https://other.example", True),
        ("http://app.example", False),
        ("https://app.example:8443", False),
        ("https://app.example.evil", False),
        ("null", False),
        ("", False),
        ("https://app.example\0", False),
        ("\ud800", False),
    ],
)
def test_whose_pages_may_read_our_answers(worker: AppHouse, origin: str, *, known: bool) -> None:
    worker.app(state=AppState.PENDING)
    assert worker.apps.origin_known(PROVIDER, origin) is known
    assert not worker.apps.origin_known(OTHER, origin)


@pytest.mark.parametrize("state", [AppState.SUSPENDED, AppState.REFUSED])
def test_pages_of_an_app_that_was_stopped_may_not(house: AppHouse, state: AppState) -> None:
    app = house.app()
    house.apps.decide(PROVIDER, app.client_id, state, ground="g", by="op")
    assert not house.apps.origin_known(PROVIDER, "https://app.example")


TEXTS = st.text(max_size=20)


@given(
    st.builds(
        AppMetadata,
        client_name=TEXTS,
        redirect_uris=st.tuples(TEXTS, TEXTS),
        grant_types=st.tuples(TEXTS),
        token_endpoint_auth_method=st.sampled_from(["none", "client_secret_basic", "private_key_jwt"]),
        scope=TEXTS,
        contacts=st.lists(TEXTS, max_size=2).map(tuple),
        jwks=st.none() | st.just(KEYS),
        launch_uri=TEXTS,
        post_logout_redirect_uris=st.tuples(TEXTS),
    )
)
def test_what_an_app_says_is_kept_to_the_letter(original: AppMetadata) -> None:
    assert read(said(original)) == original


def found(house: AppHouse, app: App) -> App:
    again = house.apps.find(PROVIDER, app.client_id)
    assert again is not None
    return again
