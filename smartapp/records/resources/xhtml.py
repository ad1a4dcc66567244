"""A clean narrative as XHTML (FHIR R4 narrative.html): the same words, in XML's spelling. Pure."""

import re
from html import escape
from html.parser import HTMLParser
from typing import Final

from smartapp.fhir.upstream.documents import Json, text
from smartapp.fhir.upstream.narrative import clean

_EMPTY: Final = frozenset({"br", "hr", "col"})
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What XML 1.0 has no spelling for."""
_STATUS: Final = frozenset({"generated", "extensions", "additional", "empty"})


class _Writer(HTMLParser):
    """Writes again what the cleaner left: it closes what it opens, but for empty elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = "".join(f' {name}="{escape(_CONTROL.sub("", value or ""))}"' for name, value in attrs)
        self.out.append(f"<{tag}{told}/>" if tag in _EMPTY else f"<{tag}{told}>")

    def handle_endtag(self, tag: str) -> None:
        if tag not in _EMPTY:
            self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.out.append(escape(_CONTROL.sub("", data), quote=False))


def narrative(raw: Json) -> Json | None:
    """The `text` of a resource, with its words cleaned as for our own pages; None if nothing is left of it."""
    told = raw.get("text")
    if not isinstance(told, dict) or not (cleaned := clean(text(told.get("div"), 2**20))):
        return None
    writer = _Writer()
    writer.feed(cleaned)
    writer.close()
    status = told.get("status")
    return {
        "status": status if status in _STATUS else "additional",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{"".join(writer.out)}</div>',
    }
