"""The one tree of errors. Lower rooms raise these; only the edge turns them into a page, JSON or an OperationOutcome.

::

    SmartappError
    ├── ConfigurationError      the start is refused, with a sentence that says what to do
    ├── BadInput                400  the request cannot be meant
    │   ├── LaunchRefused       400  a launch or callback that does not hold together
    │   └── GrantRefused        400  what an app shows buys no token (RFC 6749 §5.2, invalid_grant)
    │       ├── CodeRefused     400  an authorization code
    │       ├── RefreshRefused  400  a refresh token
    │       └── TokenOfAnother  400  a token to revoke that is another app's (RFC 7009 §2.1)
    ├── NotSignedIn             401  no session, or a token that is none (any more)
    ├── AccessDenied            403  a decision said no; carries its reasons
    │   ├── ScopeMissing        403  a token without this kind of right (RFC 6750 §3.1, insufficient_scope)
    │   ├── GrantHeld           403  the grant is paused, dormant, frozen, or needs the patient to sign in again
    │   └── PartWithheld        403  some of it may not be had now; names what may
    ├── TooMany                 429  a rate or volume limit; `retry_after` says when
    ├── NotFound                404  absent, or outside what the principal may see: both alike
    ├── WrongContext            409  the page belongs to another record than the one now open
    ├── Unrenderable            422  the pixels cannot be shown
    ├── PermitEnded             403  the right ended while bytes were flowing
    ├── UpstreamError           502  EHR or PACS
    │   ├── UpstreamDown        503  unreachable, breaker open, or asked to wait
    │   ├── UpstreamSlow        503  a deadline passed
    │   ├── UpstreamRefused     403  the EHR no longer takes our credential: sign in again
    │   ├── UpstreamMalformed   502  an answer that is not what the standard says
    │   └── UpstreamMismatch    502  data of somebody or something else; severity high
    └── Unavailable             503  a part of ours: nothing was read, nothing left
        ├── AuditUnavailable
        ├── DatabaseBusy
        └── KeysUnavailable
"""

import traceback
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Reason:
    """Why a decision or refusal came out as it did: a stable `code`, and the rule or clause it rests on."""

    code: str
    rule: str = ""


class SmartappError(Exception):
    """Root of the tree. `code` is stable and free of personal data; it may be logged and shown."""

    status = 500
    code = "error"

    def __init__(self, code: str | None = None, *, retry_after: int | None = None) -> None:
        """`code` narrows the class's own; `retry_after` is in seconds."""
        super().__init__(code or self.code)
        self.code = code or self.code
        self.retry_after = retry_after


class ConfigurationError(SmartappError):
    """The configuration cannot be used. `sentence` says what to do; it never holds a secret."""

    code = "configuration"

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


class BadInput(SmartappError):
    """The request cannot be meant."""

    status = 400
    code = "bad-input"


class LaunchRefused(BadInput):
    """A launch or callback that does not hold together. `code` names the audit row (`smart.state.bad`)."""

    code = "smart.launch"


class GrantRefused(BadInput):
    """What an app shows buys no token (RFC 6749 §5.2). `code` names the audit row, which is written already."""

    code = "oauth.grant"


class CodeRefused(GrantRefused):
    """An authorization code that is unknown, used, over, or somebody else's (`oauth.code.replay`)."""

    code = "oauth.code.unknown"


class RefreshRefused(GrantRefused):
    """A refresh token that is unknown, spent, over, or somebody else's (`oauth.refresh.reuse`)."""

    code = "oauth.refresh.unknown"


class TokenOfAnother(GrantRefused):
    """A token to revoke that was given to another app (RFC 7009 §2.1). It still counts."""

    code = "oauth.revoke.client_mismatch"


class NotSignedIn(SmartappError):
    """There is no session, or the token is unknown, expired or revoked."""

    status = 401
    code = "not-signed-in"


class AccessDenied(SmartappError):
    """A decision said no."""

    status = 403
    code = "access-denied"

    def __init__(self, *reasons: Reason) -> None:
        super().__init__(reasons[0].code if reasons else None)
        self.reasons = reasons


class ScopeMissing(AccessDenied):
    """The token lacks the kind of right that the request needs (RFC 6750 §3.1). `code` names it."""

    code = "insufficient-scope"

    def __init__(self, what: str = "") -> None:
        super().__init__(Reason("insufficient-scope", what))


class GrantHeld(AccessDenied):
    """The patient's grant stands, and serves nothing for now. `state` is its `GrantState`."""

    def __init__(self, state: str) -> None:
        super().__init__(Reason(f"grant-{state}", "grant"))
        self.state = state


class PartWithheld(AccessDenied):
    """Part of a study may not be had now, so it is not given as if it were whole. `series` are those that may be."""

    def __init__(self, series: tuple[str, ...]) -> None:
        super().__init__(Reason("part-withheld", "release"))
        self.series = series


class NotFound(SmartappError):
    """Absent, or outside what the principal may see: both look alike."""

    status = 404
    code = "not-found"


class TooMany(SmartappError):
    """More than the limit allows, of requests or of bytes. `retry_after` (seconds) says when to come again."""

    status = 429
    code = "too-many"


class WrongContext(SmartappError):
    """The page belongs to another record than the one this browser has open now."""

    status = 409
    code = "wrong-context"


class Unrenderable(SmartappError):
    """The object holds nothing that can be shown as a picture, or not safely."""

    status = 422
    code = "unrenderable"


class PermitEnded(SmartappError):
    """The right ended while it was being used: signed out, revoked, or past its end."""

    status = 403
    code = "permit-ended"


class UpstreamError(SmartappError):
    """The EHR or the PACS did not give what was asked."""

    status = 502
    code = "upstream"


class UpstreamDown(UpstreamError):
    """Unreachable, breaker open, or asking us to wait."""

    status = 503
    code = "upstream-down"


class UpstreamSlow(UpstreamError):
    """A deadline passed."""

    status = 503
    code = "upstream-slow"


FORBIDDEN: Final = "upstream-forbidden"
"""The code of an UpstreamRefused that is about one thing: the credential is good for others."""


class UpstreamRefused(UpstreamError):
    """Our credential is no longer taken: the person has to sign in again."""

    status = 403
    code = "upstream-refused"


class UpstreamMalformed(UpstreamError):
    """An answer that is not what the standard says: HTML, cut JSON, a broken multipart body."""

    code = "upstream-malformed"


class UpstreamMismatch(UpstreamError):
    """Data of another patient, study or instance than the one asked for. Nothing of it may leave."""

    code = "upstream-mismatch"


class Unavailable(SmartappError):
    """A part of ours is not there. Nothing was read and nothing left."""

    status = 503
    code = "unavailable"


class AuditUnavailable(Unavailable):
    """The audit trail cannot be written: no audit, no access."""

    code = "audit-unavailable"


class DatabaseBusy(Unavailable):
    """The database did not answer in time."""

    code = "database-busy"


class KeysUnavailable(Unavailable):
    """A key is missing or unusable. There is no default key."""

    code = "keys-unavailable"


def whereabouts(error: BaseException) -> str:
    """Where an error was raised, for a log: files and lines. None of its words: they could hold a name or a token."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in frames)
