"""What OpenID Connect adds (Core 1.0 §3.1.2.1): `nonce`, `prompt` and `max_age`."""

import re
from typing import Final

from smartapp.authserver.authorize.asking import Asking
from smartapp.authserver.authorize.refusals import AnswerRefused

_NONCE: Final = re.compile(r"[\x21-\x7e]{1,512}", re.ASCII)
_MAX_AGE: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_PROMPTS: Final = frozenset({"login", "consent", "select_account"})


def check(asking: Asking) -> None:
    """Nothing is ever granted without a page, so `prompt=none` can only end in `interaction_required`."""
    nonce, prompts = asking.get("nonce"), asking.get("prompt").split()
    if nonce and not _NONCE.fullmatch(nonce):
        raise AnswerRefused("invalid_request", "nonce", "nonce must be printable and at most 512 characters.")
    if prompts == ["none"]:
        raise AnswerRefused("interaction_required", "prompt", "The patient has to be asked: prompt=none cannot work.")
    if not set(prompts) <= _PROMPTS:
        raise AnswerRefused("invalid_request", "prompt", "prompt is none of login, consent, select_account.")
    if asking.get("max_age") and not _MAX_AGE.fullmatch(asking.get("max_age")):
        raise AnswerRefused("invalid_request", "max-age", "max_age must be a number of seconds.")
