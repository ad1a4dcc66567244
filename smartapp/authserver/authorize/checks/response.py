"""What is to be answered, and how: a code, in the redirect's query."""

from smartapp.authserver.authorize.asking import Asking
from smartapp.authserver.authorize.refusals import AnswerRefused


def check(asking: Asking) -> None:
    """`response_type=code`; no token ever stands in an address (RFC 9700 §2.1.2)."""
    asked = asking.get("response_type")
    if not asked:
        raise AnswerRefused("invalid_request", "response-type", "response_type is missing: it must be code.")
    if asked != "code":
        raise AnswerRefused("unsupported_response_type", "response-type", "response_type must be code.")
    if asking.get("response_mode") not in {"", "query"}:
        raise AnswerRefused("invalid_request", "response-mode", "response_mode must be query, or absent.")
