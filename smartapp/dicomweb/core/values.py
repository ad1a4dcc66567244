"""Values as text: padding and character sets (PS3.5 §6.1, §6.2, §9.1; PS3.3 §C.12.1.1.2)."""

from typing import Final

from smartapp.dicomweb.core.uids import is_uid
from smartapp.errors import UpstreamMalformed

# The single-byte repertoires and the multi-byte ones without code extensions. An ISO 2022 switch inside an identifier
# is refused: it lets one identifier be written in several ways.
_CODECS: Final = {
    "ISO_IR 100": "latin-1",
    "ISO_IR 101": "iso8859-2",
    "ISO_IR 109": "iso8859-3",
    "ISO_IR 110": "iso8859-4",
    "ISO_IR 126": "iso8859-7",
    "ISO_IR 127": "iso8859-6",
    "ISO_IR 138": "iso8859-8",
    "ISO_IR 144": "iso8859-5",
    "ISO_IR 148": "iso8859-9",
    "ISO_IR 203": "iso8859-15",
    "ISO_IR 166": "tis-620",
    "ISO_IR 13": "shift-jis",
    "ISO_IR 192": "utf-8",
    "GB18030": "gb18030",
    "GBK": "gbk",
}


def read_uid(raw: bytes) -> str:
    """A UID. It is padded with one NUL (PS3.5 §9.1); several, and spaces, are met in old archives and mean the same."""
    try:
        text = raw.rstrip(b"\0 ").decode("ascii")
    except UnicodeDecodeError:
        raise UpstreamMalformed("dicom-uid") from None
    if not is_uid(text):
        raise UpstreamMalformed("dicom-uid")
    return text


def read_text(raw: bytes, charset: str) -> str:
    """A single LO value without its padding; `charset` is the (first) Specific Character Set, empty if none is given.

    UpstreamMalformed for what readers would take differently: several values, control characters, unknown charsets.
    """
    try:
        text = raw.decode("ascii" if raw.isascii() else _CODECS.get(charset, "ascii"))
    except UnicodeDecodeError:
        raise UpstreamMalformed("dicom-charset") from None
    text = text.rstrip("\0 ").lstrip(" ")
    if not text.isprintable() or "\\" in text:
        raise UpstreamMalformed("dicom-text")
    return text
