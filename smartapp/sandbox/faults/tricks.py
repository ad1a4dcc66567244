"""What each fault does to an answer before it reaches the client."""

import contextlib
import json
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final
from urllib.parse import parse_qs

from smartapp.sandbox.faults import foreign
from smartapp.sandbox.faults.wire import Reply, Request, head_of, send


@dataclass(frozen=True)
class Case:
    """A request that a fault is set for. `ask` fetches the part's own answer (of another target, if one is given);
    `shift` is the clocks', `trap` an address that counts its visitors.
    """

    client: socket.socket
    request: Request
    body: bytes
    seconds: float
    shift: int
    trap: str
    ask: Callable[[str | None], Reply]


Trick = Callable[[Case], bool]
"""Answers the client; False when the fault does not concern this request: nothing was sent, and it did not happen."""


def _slow(case: Case) -> bool:
    time.sleep(case.seconds)
    send(case.client, case.ask(None))
    return True


def _refusal(status: int, sentence: str) -> Trick:
    def trick(case: Case) -> bool:
        send(case.client, Reply(status, [("Content-Type", "text/plain")], f"{sentence}\n".encode()))
        return True

    return trick


def _wait(status: int, *, as_date: bool = False) -> Trick:
    def trick(case: Case) -> bool:
        moment = datetime.now(UTC) + timedelta(seconds=case.shift + case.seconds)
        after = format_datetime(moment, usegmt=True) if as_date else f"{case.seconds:.0f}"
        send(case.client, Reply(status, [("Retry-After", after), ("Content-Type", "text/plain")], b"Later.\n"))
        return True

    return trick


def _html(case: Case) -> bool:
    page = b"<!doctype html><title>Sign in</title><h1>Hospital network</h1><form><input name=user></form>"
    send(case.client, Reply(200, [("Content-Type", "text/html; charset=utf-8")], page))
    return True


def _half(case: Case) -> None:
    reply = case.ask(None)
    case.client.sendall(head_of(reply, len(reply.body)) + reply.body[: len(reply.body) // 2])


def _short(case: Case) -> bool:
    _half(case)
    return True


def _stall(case: Case) -> bool:
    _half(case)
    case.client.settimeout(case.seconds)
    with contextlib.suppress(TimeoutError):
        case.client.recv(1)  # the client gives up, or the time is over
    return True


def _reset(case: Case) -> bool:
    _half(case)
    # No lingering: closing sends RST at once.
    case.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return True


def _malformed(case: Case) -> bool:
    reply = case.ask(None)
    send(case.client, replace(reply, body=reply.body[: len(reply.body) // 2]))
    return True


def _bom(case: Case) -> bool:
    reply = case.ask(None)
    send(case.client, replace(reply, body=b"\xef\xbb\xbf" + reply.body))
    return True


def _next(address: Callable[[Case], str]) -> Trick:
    """Gives a search's Bundle a `next` link, in place of its own (FHIR R4 §3.1.1.4.5)."""

    def trick(case: Case) -> bool:
        reply = case.ask(None)
        bundle = json.loads(reply.body) if "json" in reply.header("Content-Type") else {}
        if bundle.get("type") != "searchset":
            return False
        others = [link for link in bundle.get("link", ()) if link.get("relation") != "next"]
        bundle["link"] = [*others, {"relation": "next", "url": address(case)}]
        send(case.client, replace(reply, body=json.dumps(bundle).encode()))
        return True

    return trick


def _itself(case: Case) -> str:
    return f"http://{case.request.header('Host')}{case.request.target}"


def _refresh_refused(case: Case) -> bool:
    form = parse_qs(case.body.decode("latin-1"))
    if form.get("grant_type") != ["refresh_token"]:
        return False
    body = b'{"error": "invalid_grant"}'
    send(case.client, Reply(400, [("Content-Type", "application/json"), ("Cache-Control", "no-store")], body))
    return True


def _revoked(case: Case) -> bool:
    if not case.request.header("Authorization"):
        return False
    headers = [("WWW-Authenticate", 'Bearer error="invalid_token"'), ("Content-Type", "application/fhir+json")]
    send(case.client, Reply(401, headers, b'{"resourceType": "OperationOutcome"}'))
    return True


def _wrong_study(case: Case) -> bool:
    reply = case.ask(None)
    boundary = foreign.boundary_of(reply)
    if boundary is None:
        return False
    send(case.client, replace(reply, body=foreign.with_anothers(reply.body, boundary, case.request.target, case.ask)))
    return True


def _no_closing(case: Case) -> bool:
    reply = case.ask(None)
    boundary = foreign.boundary_of(reply)
    if boundary is None:
        return False
    body = reply.body[: reply.body.rindex(b"\r\n--" + boundary + b"--")]
    # Without a length, as PACS do: the end of the connection is the end of the body.
    case.client.sendall(head_of(reply, None) + body)
    return True


TRICKS: Final[dict[str, Trick]] = {
    "slow": _slow,
    "429": _wait(429),
    "429-date": _wait(429, as_date=True),
    "500": _refusal(500, "Something broke."),
    "503": _refusal(503, "Not available."),
    "html": _html,
    "short": _short,
    "reset": _reset,
    "stall": _stall,
    "malformed-json": _malformed,
    "bom": _bom,
    "paging-loop": _next(_itself),
    "foreign-next": _next(lambda case: case.trap),
    "refresh-refused": _refresh_refused,
    "token-revoked": _revoked,
    "wrong-study": _wrong_study,
    "no-closing-boundary": _no_closing,
    "offline": _wait(503),
}
"""By the name of the kind. Those that are done inside the EHR are not here."""
