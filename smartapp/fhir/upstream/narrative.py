"""HTML from outside, made harmless: structure and words stay, everything that acts or fetches goes."""

import nh3

MAX_LENGTH = 512 * 1024
_TAGS = frozenset(
    {"abbr", "b", "big", "blockquote", "br", "caption", "cite", "code", "col", "colgroup", "dd", "dfn", "div"}
    | {"dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "ins", "kbd", "li", "ol", "p", "pre", "q"}
    | {"s", "samp", "small", "span", "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th"}
    | {"thead", "tr", "tt", "u", "ul", "var"}
)
_ATTRIBUTES = {"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan", "scope"}, "ol": {"start"}}


def clean(html: str) -> str:
    """The narrative (FHIR R4 narrative.html) without pictures, styles, links, classes and ids; comments and the content
    of scripts and styles are gone. What is longer than 512 KiB is left out whole: cut HTML may say something else.
    """
    if len(html) > MAX_LENGTH:
        return ""
    return nh3.clean(
        html,
        tags=set(_TAGS),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        clean_content_tags={"script", "style", "title", "iframe", "object", "svg", "math", "template", "noscript"},
        link_rel=None,
        url_schemes=set(),
        strip_comments=True,
    ).strip()
