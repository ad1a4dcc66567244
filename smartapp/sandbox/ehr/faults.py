"""Faults that only the EHR itself can have, since it holds the key; the relay before it says which."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from flask import request

from smartapp.sandbox.ehr.site import Site
from smartapp.sandbox.ehr.state import Grant
from smartapp.sandbox.faults.catalogue import HEADER

Claims = Mapping[str, Any]


def id_token(site: Site, claims: Claims) -> str:
    """The signed id_token, spoiled if the request says so."""
    spoil = _SPOILED.get(request.headers.get(HEADER, ""))
    return spoil(site, claims) if spoil else site.key.sign(claims)


def grant(site: Site, given: Grant) -> Grant:
    """The grant that a refresh answers for: with another patient in it, if the request says so."""
    if request.headers.get(HEADER) != "refresh-other-patient":
        return given
    other = next(person.id for person in site.hospital.people if person.id != given.patient)
    return replace(given, patient=other)


def _changed(**claims: Any) -> Callable[[Site, Claims], str]:
    return lambda site, good: site.key.sign({**good, **claims})


def _bad_signature(site: Site, claims: Claims) -> str:
    """The signature of other claims."""
    head, payload, _ = site.key.sign(claims).split(".")
    return f"{head}.{payload}.{site.key.sign({**claims, 'sub': 'another'}).split('.')[2]}"


def _alg_none(_site: Site, claims: Claims) -> str:
    parts = ({"alg": "none", "typ": "JWT"}, dict(claims))
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def _rotated(site: Site, claims: Claims) -> str:
    site.key.rotate()
    return site.key.sign(claims)


_SPOILED: Final[dict[str, Callable[[Site, Claims], str]]] = {
    "wrong-nonce": _changed(nonce="another"),
    "wrong-aud": _changed(aud="another-client"),
    "wrong-iss": _changed(iss="https://another.example"),
    "bad-signature": _bad_signature,
    "alg-none": _alg_none,
    "key-rotation": _rotated,
}
