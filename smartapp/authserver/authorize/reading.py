"""The parameters, from address and form, each of them once (RFC 6749 §3.1)."""

from collections.abc import Mapping
from typing import Final

from flask import request

from smartapp.authserver.authorize.refusals import PageRefused

_FORM: Final = "application/x-www-form-urlencoded"


def parameters() -> Mapping[str, str]:
    """What was sent. Raises PageRefused when any name comes twice, in the address, the form, or one and the other:
    two readers of it could each believe another value.
    """
    if request.method == "POST" and request.mimetype != _FORM:
        raise PageRefused("oauth.authorize.reject", "form")
    given: dict[str, list[str]] = {}
    for source in (request.args, request.form):
        for name, values in source.lists():
            given.setdefault(name, []).extend(values)
    if any(len(values) > 1 for values in given.values()):
        raise PageRefused("oauth.param.duplicate", "duplicate")
    return {name: values[0] for name, values in given.items() if values[0]}
