"""Every route of the application, with values filled in: walked, so that a new one cannot be forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from smartapp.web.rules import Rule, rule_of
from tests.threats.composed import Browser, Composed

SAFE = {"GET", "HEAD", "OPTIONS"}
CANARIES = ("Canary", "canary", "SE-1001", "SE-1002", "MH-5501")
"""What stands in the fake hospitals' records and tokens only."""
NOTHING_PERSONAL = {"static", "portal.static", "brands.whole", "brands.single"}


@dataclass(frozen=True)
class Address:
    """`methods` are those that the route takes, `arguments` the names of what its address is filled with."""

    path: str
    endpoint: str
    rule: Rule
    methods: frozenset[str]
    arguments: frozenset[str]


def addresses(composed: Composed, ctx: str, known: Mapping[str, str] | None = None) -> Iterator[Address]:
    """A route argument that is not among the values is a KeyError: whoever adds a route says what goes there.

    `known` are values that name something that is there; without them apps, grants and requests are none.
    """
    values = {
        "ctx": ctx, "uid": "1.2.3", "other": "1.2.3",
        "suid": "1.2.3.1", "sid": "ses-none", "sop": "1.2.3.1.1", "rid": "r1", "n": 0,
        "provider": "st-elsewhere", "study": "1.2.3", "series": "1.2.3.1", "numbers": "1", "tag": "7FE00010",
        "rest": "elsewhere", "filename": "app.css", "type_": "ImagingStudy", "id_": "i1", "handle": "sar_none",
        "grant": "grt-none", "client_id": "app-none", "secret": "sdl_none", **(known or {}),
    }  # fmt: skip
    app = composed.house.app
    adapter = app.url_map.bind("images.example.org", url_scheme="https")
    for entry in app.url_map.iter_rules():
        chosen = {name: values[name] for name in entry.arguments}
        given = {
            **(entry.defaults or {}),
            **{name: v for name, v in chosen.items() if name not in (entry.defaults or {})},
        }
        found = rule_of(app, entry.endpoint)
        assert found is not None, entry.rule
        path = adapter.build(entry.endpoint, given, next(iter(entry.methods or {"GET"})))
        if entry.endpoint == "portal.static":
            path = "/portal/viewer.css"
        yield Address(path, entry.endpoint, found, frozenset(entry.methods or ()), frozenset(chosen))


def bearer(browser: Browser) -> dict[str, str]:
    """The header that opens the gateway's routes."""
    return {"Authorization": f"Bearer {browser.viewer_token()}"}
