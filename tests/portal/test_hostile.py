"""Names, descriptions and reports that try to be more than words."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from smartapp.dicomweb.core.sr import SrVerifier
from smartapp.portal.safe_html import report_html
from tests.portal import fakes
from tests.portal.conftest import Portal
from tests.portal.reports import REPORT, STRUCTURED, item

STUDY = f"/my/ctx-ana/studies/{fakes.CT}"
HOSTILE = (
    '"><img src=x onerror=alert(1)>',
    "{{1111*1111}}${1111*1111}",
    "</script><script>alert(1)</script>",
    "' onmouseover='alert(1)",
    "</title><svg onload=alert(1)>",
    "javascript:alert(1)",
)
OURS = frozenset(
    (
        *("html", "head", "meta", "title", "link", "script", "body", "header", "nav", "main", "footer", "noscript"),
        *("section", "article", "div", "p", "span", "h1", "h2", "h3", "h4", "ul", "ol", "li", "dl", "dt", "dd", "br"),
        *("a", "strong", "code", "time", "figure", "figcaption", "img", "canvas", "progress", "details", "summary"),
        *(
            "form",
            "fieldset",
            "legend",
            "label",
            "input",
            "select",
            "option",
            "button",
            "dialog",
            "table",
            "tbody",
            "tr",
            "th",
            "td",
        ),
    )
)


class Seen(HTMLParser):
    """Every tag with its attributes, as a parser sees them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def assert_inert(text: str) -> None:
    for tag, attributes in Seen(text).tags:
        assert tag in OURS, tag
        assert not [name for name in attributes if name.startswith("on") or name == "style"], attributes
        for name in ("src", "href", "action"):
            assert (attributes.get(name) or "/").startswith(("/", "#", "data:,")), attributes
        if tag == "script":
            assert attributes.get("src") or attributes.get("type") == "application/json"
    assert "1234321" not in text


@pytest.mark.clause("SMART 2.2", "5")
@pytest.mark.threat("W3")
@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_stay_words(portal: Portal, client: FlaskClient, words: str) -> None:
    portal.identity.name = words
    portal.records.series_description = words
    portal.records.report = replace(
        REPORT, title=words, conclusion=words, texts=(words,), performers=(words,), narrative_html=words
    )
    portal.records.studies_found = tuple(
        replace(study, description=words, place=words, body_parts=(words,), modalities=())
        for study in portal.records.studies_found
    )
    portal.records.structured = replace(
        STRUCTURED,
        title=words,
        written=words,
        items=(item(words, words),),
        verifiers=(SrVerifier(words, words, words),),
    )
    document = f"{STUDY}/series/{fakes.DOSE}/instances/{fakes.DOSE}.1/report"
    compared = (f"{STUDY}/compare/", f"{STUDY}/compare/{fakes.HEAD}", "/my/ctx-ana/?year=2026")
    for path in ("/my/ctx-ana/", STUDY, f"{STUDY}/series/{fakes.SERIES}", "/my/ctx-ana/sessions", document, *compared):
        answer = client.get(path)
        assert answer.status_code == 200
        assert_inert(answer.text)
    script = re.search(r"data-config>(.*?)</script>", client.get(STUDY).text)
    assert script is not None
    assert json.loads(script[1])["study"] == fakes.CT


@pytest.mark.threat("W4")
@pytest.mark.threat("D18")
@pytest.mark.parametrize(
    "narrative",
    [
        "<div><script>alert(1)</script><p>kept</p></div>",
        '<p onclick="alert(1)" style="position:fixed" id="viewer-config" class="skip">kept</p>',
        '<img src="https://tracker.example/x.png"><p>kept</p>',
        '<a href="javascript:alert(1)">kept</a>',
        '<form action="https://evil.example"><input name="password">kept</form>',
        "<svg><script>alert(1)</script></svg><p>kept</p>",
        "<style>body{display:none}</style><p>kept</p>",
        '<iframe srcdoc="<script>alert(1)</script>"></iframe><p>kept</p>',
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></table></mtext></math>kept",
    ],
)
def test_a_reports_narrative_can_only_be_read(portal: Portal, client: FlaskClient, narrative: str) -> None:
    portal.records.report = replace(REPORT, narrative_html=narrative)
    text = client.get(STUDY).text
    inside = text[text.index('class="narrative">') : text.index("</details>", text.index('class="narrative">'))]
    assert "kept" in inside
    assert "alert" not in inside or "&" in inside
    for forbidden in (
        "<script",
        "<img",
        "<a ",
        "<form",
        "<input",
        "<style",
        "<iframe",
        "<svg",
        "onclick",
        "id=",
        ' class="skip',
    ):
        assert forbidden not in inside
    assert_inert(text)


@given(st.text(alphabet=st.sampled_from("<>/\"'= abdivscriptonload&;:#x3"), max_size=80))
def test_whatever_comes_in_only_plain_tags_come_out(narrative: str) -> None:
    for tag, attributes in Seen(str(report_html(narrative))).tags:
        assert tag in OURS | {"b", "i"}
        assert tag not in {"script", "img", "a", "form", "input", "button", "link", "meta"}
        assert set(attributes) <= {"colspan", "rowspan", "scope"}
