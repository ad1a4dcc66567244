"""What the viewer's script is told by its page: addresses, the forgery token, and every sentence it may show."""

from typing import Any

from flask import url_for
from flask_babel import gettext as _

from smartapp.web.csrf import csrf_token


def viewer_config(context_id: str, study_uid: str) -> dict[str, Any]:
    """JSON for the page. It holds no access token: the script asks for one when it needs it."""
    return {
        "study": study_uid,
        "tokenUrl": url_for("patient.viewer_token", ctx=context_id, uid=study_uid),
        "csrf": csrf_token(),
        "words": _words(),
    }


def _words() -> dict[str, Any]:
    return {
        "loading": _("Loading pictures …"),
        "position": _("Picture {n} of {total}"),
        "play": _("Play"),
        "pause": _("Pause"),
        "rate": _("{rate} pictures a second"),
        "offline": _("The hospital's pictures do not answer now. We are waiting and will try again."),
        "countdown": _("Next try in {seconds} s"),
        "window": _("Window {centre} / {width}"),
        "errors": {
            "unavailable": _("This picture is not available now. Nothing is shown rather than half a picture."),
            "cut": _("This picture did not arrive whole. It is not shown."),
            "gone": _("This picture is no longer there."),
            "unrenderable": _("There is nothing here that can be shown as a picture."),
            "signedOut": _("You are signed out, or your access has ended. Sign in again to go on."),
            "otherRecord": _("Another record was opened in this browser. Open this one again."),
        },
    }
