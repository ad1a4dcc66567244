"""The one place where HTML that came from outside is let into a page."""

from typing import Final

import nh3
from markupsafe import Markup

_TAGS: Final = frozenset(
    (
        *("p", "div", "span", "br", "hr", "pre", "blockquote", "h3", "h4", "h5", "h6"),
        *("b", "strong", "i", "em", "u", "small", "sub", "sup", "code"),
        *("ul", "ol", "li", "dl", "dt", "dd"),
        *("table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"),
    )
)
_ATTRIBUTES: Final = {"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan", "scope"}}


def report_html(narrative: str) -> Markup:
    """A report's narrative (FHIR R4 §2.4.0 XHTML) as HTML that can do nothing but be read.

    It was cleaned where it came in; it is cleaned again where it goes out, so that no way round the first cleaning
    reaches a browser. Links, images, styles, classes and ids are gone: a picture would tell its server that the
    report was opened, and an id could stand in for one of ours.
    """
    clean = nh3.clean(narrative, tags=set(_TAGS), attributes=_ATTRIBUTES, url_schemes=set(), link_rel=None)
    return Markup(clean)  # noqa: S704  # cleaned on the line above; this is the only unescaped text of the portal
