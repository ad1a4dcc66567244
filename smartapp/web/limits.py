"""Limits at the edge: who is held to what, and what an answer under a grant comes to in bytes."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from flask import Response, g, request

from smartapp.consent.model import AppPrincipal
from smartapp.tokens.limits.service import Limit, Limits
from smartapp.web.parts import parts

_NOTE_EVERY = 8 * 2**20


def client_address() -> str:
    """The address that the request came from: the peer's, or what the last of our own proxies says (RFC 7239 §8.1)."""
    peer = request.remote_addr or ""
    said = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return said if said and _is_proxy(peer) and _is_address(said) else peer


def hold(principal: AppPrincipal) -> None:
    """Counts the request against the grant's limits. TooMany, with the time to wait, when one is used up."""
    limits = parts().limits
    limits.require_left(Limit.BYTES, principal.grant_id)
    limits.spend(Limit.REQUESTS, principal.grant_id)
    g.counted_for = principal.grant_id


def count(response: Response) -> Response:
    """For `after_request`: counts the bytes of the answer against the grant, as they leave."""
    grant_id = g.get("counted_for")
    if grant_id is None:
        return response
    if response.is_sequence:
        parts().limits.add(Limit.BYTES, grant_id, response.calculate_content_length() or 0)
    else:
        response.response = _counted(response.iter_encoded(), parts().limits, grant_id)
    return response


def _counted(body: Iterator[bytes], limits: Limits, grant_id: str) -> Iterator[bytes]:
    """What is sent is noted on the way, so that a download that takes an hour counts in that hour."""
    noted = 0
    try:
        for piece in body:
            yield piece
            noted += len(piece)
            if noted >= _NOTE_EVERY:
                limits.add(Limit.BYTES, grant_id, noted)
                noted = 0
    finally:
        if noted:
            limits.add(Limit.BYTES, grant_id, noted)


def _is_proxy(address: str) -> bool:
    return _is_address(address) and any(
        ip_address(address) in ip_network(proxy) for proxy in parts().settings.server.proxies
    )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
