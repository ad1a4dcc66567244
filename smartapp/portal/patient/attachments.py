"""Files from elsewhere leave as downloads: on our own origin nothing of theirs is opened, drawn or run."""

import re
from typing import TYPE_CHECKING, Final

from flask import Response
from werkzeug.http import dump_options_header
from werkzeug.utils import secure_filename

if TYPE_CHECKING:
    from smartapp.records.model import Attachment

_MEDIA_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9.+-]{0,63}/[a-z0-9][a-z0-9.+-]{0,63}\Z", re.ASCII)


def download(attachment: "Attachment") -> Response:
    """The attachment with `Content-Disposition: attachment` (RFC 6266 §4.2) and a name that is only a name."""
    kind = attachment.content_type.partition(";")[0].strip().lower()
    response = Response(attachment.body, content_type=kind if _MEDIA_TYPE.match(kind) else "application/octet-stream")
    name = secure_filename(attachment.filename) or "document"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'none'"
    response.headers["Content-Disposition"] = dump_options_header("attachment", {"filename": name})
    return response
