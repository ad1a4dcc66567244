"""One page of text as PDF, written by hand (ISO 32000-1 §7.5): a sample needs no library."""

import textwrap
from collections.abc import Sequence

_FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
_PAGE = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
)


def one_page(lines: Sequence[str]) -> bytes:
    """A letter-size PDF of these lines, wrapped at 90 characters; what Windows-1252 lacks becomes a question mark."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        _PAGE,
        _stream(_text(lines)),
        _FONT,
    ]
    return _file(objects)


def _text(lines: Sequence[str]) -> bytes:
    wrapped = [part for line in lines for part in textwrap.wrap(line, 90) or [""]]
    shown = b"\n".join(b"(" + _escape(line) + b") Tj T*" for line in wrapped)
    return b"BT /F1 11 Tf 15 TL 60 730 Td\n" + shown + b"\nET"


def _escape(line: str) -> bytes:
    raw = line.encode("cp1252", "replace")
    return raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _stream(content: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)


def _file(objects: Sequence[bytes]) -> bytes:
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size, start = len(objects) + 1, len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    return out + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, start)
