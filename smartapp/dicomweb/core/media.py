"""Media types with parameters, RFC 9110 §8.3.1, as in Content-Type and each range of Accept."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TYPE: Final = re.compile(rf"[ \t]*({_WORD}/{_WORD})[ \t]*")
# A value is a quoted string, or a token in which we also let pass `/` and others that clients forget to quote:
# `type=application/dicom` is what most DICOMweb clients send (PS3.18 §8.7.3.2 shows it quoted).
_PARAMETER: Final = re.compile(
    rf';[ \t]*(?:({_WORD})=(?:"((?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*)"|([!#-+./0-:<-~-]+)))?[ \t]*'
)
_ESCAPED: Final = re.compile(r"\\(.)")


@dataclass(frozen=True)
class MediaType:
    """`type` is lower case (`multipart/related`), as are the names of `parameters`; values are as written."""

    type: str
    parameters: Mapping[str, str]


def scan_media_type(text: str, start: int) -> tuple[MediaType, int] | None:
    """The media type at `start` of `text` and where it ends, or None: there is none, or a parameter comes twice."""
    head = _TYPE.match(text, start)
    if head is None:
        return None
    found: dict[str, str] = {}
    at = head.end()
    while (match := _PARAMETER.match(text, at)) is not None:
        at = match.end()
        name, quoted, bare = match.groups()
        if name is None:
            continue
        if name.lower() in found:
            return None
        found[name.lower()] = bare if quoted is None else _ESCAPED.sub(r"\1", quoted)
    return MediaType(head[1].lower(), MappingProxyType(found)), at


def parse_media_type(text: str) -> MediaType | None:
    """The media type that the whole of `text` is, or None."""
    scanned = scan_media_type(text, 0)
    if scanned is None or scanned[1] != len(text):
        return None
    return scanned[0]
