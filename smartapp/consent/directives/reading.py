"""A Consent of FHIR R4 (consent.html) as a directive. Pure.

Strict where a rule hangs on it: what is not understood makes its provision `unclear`, which then counts as a denial if
it denies, and as absent if it permits.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any, Final

from smartapp.consent.directives.model import (
    Actor,
    Datum,
    Directive,
    Effect,
    Filed,
    Provision,
    Token,
    Unreadable,
)
from smartapp.consent.directives.moments import read_span

_TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"
_ACT_CODE: Final = f"{_TERMINOLOGY}/v3-ActCode"
ACT_REASON: Final = f"{_TERMINOLOGY}/v3-ActReason"
_SCOPE: Final = f"{_TERMINOLOGY}/consentscope"
_BASES: Final = {
    (_ACT_CODE, "OPTIN"): Effect.PERMIT,
    (_ACT_CODE, "OPTINR"): Effect.PERMIT,
    (_ACT_CODE, "OPTOUT"): Effect.DENY,
    (_ACT_CODE, "OPTOUTE"): Effect.DENY,
}
_ELSEWHERE: Final = frozenset({"adr", "treatment"})
"""Scopes that are about what is done to a person, and not about who sees the record."""
_RECEIVING: Final = frozenset(
    {"IRCP", "PRCP", "AUCG", "AULR", "AUTM", "AUWA", "GRANTEE", "DELEGATEE"}
)  # fmt: skip
_UNDERSTOOD: Final = frozenset(
    {"id", "extension", "type", "period", "actor", "action", "securityLabel", "purpose", "class", "code", "dataPeriod",
     "data", "provision"}
)  # fmt: skip
_REFERENCE: Final = re.compile(r"(?:.*/)?([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")
_OWN: Final = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")
_UID: Final = re.compile(r"urn:oid:([0-9]+(?:\.[0-9]+)*)", re.ASCII)
_DEPTH: Final = 10
_MOST: Final = 500
"""Provisions in one Consent, all levels together."""

Json = Mapping[str, Any]


@dataclass
class _Reader:
    """Reads one Consent's provisions, counting them."""

    filed: Filed
    zone: tzinfo
    custodians: frozenset[str]
    count: int = 0

    def provision(self, node: Any, effect: Effect | None, depth: int) -> Provision:
        """The provision with what is nested in it; `effect` is the root's, whose own type is seen to elsewhere."""
        self.count += 1
        if not isinstance(node, dict) or depth > _DEPTH or self.count > _MOST:
            raise Unreadable("provision")
        named = {name: _objects(node, name) for name in ("actor", "action", "purpose", "class", "code", "data")}
        labels, nested = _objects(node, "securityLabel"), _objects(node, "provision")
        if nested is None:
            raise Unreadable("provision")
        unclear = None in (*named.values(), labels) or bool(node.keys() - _UNDERSTOOD)
        return Provision(
            effect=effect,
            period=read_span(node["period"], self.zone) if "period" in node else None,
            actors=tuple(map(self._actor, named["actor"] or ())),
            actions=tuple(_concepts(named["action"] or ())),
            purposes=tuple(_token(coding) for coding in named["purpose"] or ()),
            classes=tuple(_token(coding) for coding in named["class"] or ()),
            codes=tuple(_concepts(named["code"] or ())),
            labels=tuple(_token(coding) for coding in labels or ()),
            data_period=read_span(node["dataPeriod"], self.zone) if "dataPeriod" in node else None,
            data=tuple(map(_datum, named["data"] or ())),
            unclear=unclear,
            nested=tuple(self._nested(each, depth + 1) for each in nested),
        )

    def _nested(self, node: Json, depth: int) -> Provision:
        """A nested provision has to have a type; one without a good one might deny."""
        effect = _effect(node)
        read = self.provision(node, effect or Effect.DENY, depth)
        return read if effect is not None else replace(read, unclear=True)

    def _actor(self, node: Json) -> Actor:
        reference = node.get("reference")
        known = reference if isinstance(reference, dict) else {}
        written = _text(known.get("reference"))
        match = _REFERENCE.fullmatch(written)
        identifier = known.get("identifier")
        own = [_token(identifier, "value")] if isinstance(identifier, dict) else []
        named = self.filed.named.get(written) if written else None
        return Actor(
            receives=_receives(node),
            type=named.type if named is not None else match[1] if match else _text(known.get("type")),
            identifiers=frozenset([*own, *(named.identifiers if named is not None else ())]),
            named=named,
            custodian=bool(written) and written in self.custodians,
        )


def read_directive(filed: Filed, zone: tzinfo) -> Directive | None:
    """What the Consent says; None for one that is not active, or not about the record.

    `zone` is the hospital's. Raises Unreadable.
    """
    resource = filed.resource
    status, id_ = resource.get("status"), resource.get("id")
    if not isinstance(status, str) or not isinstance(id_, str):
        raise Unreadable("consent")
    scopes = {code for system, code in _coding_tokens(resource.get("scope")) if system == _SCOPE}
    if status != "active" or (scopes and scopes <= _ELSEWHERE):
        return None
    if resource.keys() & {"implicitRules", "modifierExtension"}:
        raise Unreadable("modified")  # it may say the opposite of what it seems to (R4 extensibility.html)
    custodians = frozenset(_text(each.get("reference")) for each in _objects(resource, "organization") or ())
    root = _root(resource, _Reader(filed, zone, custodians - {""}))
    if scopes == {"research"}:
        root = Provision(None, purposes=((ACT_REASON, "HRESCH"),), nested=(root,))
    identifiers = frozenset(_token(each, "value") for each in _objects(resource, "identifier") or ())
    return Directive(id_, root, identifiers, _is_plain(resource))


def _root(resource: Json, reader: _Reader) -> Provision:
    """The root provision with the Consent's own effect.

    R4 gives the root no type: `policyRule` decides, and the root says where. Where a type stands there all the same and
    is another than the rule's, the root is an exception from the rule; the same type says where the rule holds.
    """
    node = resource.get("provision", {})
    base = next((_BASES[each] for each in _coding_tokens(resource.get("policyRule")) if each in _BASES), None)
    if not isinstance(node, dict):
        raise Unreadable("provision")
    said = _effect(node)
    root = reader.provision(node, said or base, 1)
    if "type" in node and said is None:
        return replace(root, effect=base or Effect.DENY, unclear=True)
    if said is not None and base is not None and said is not base:
        return Provision(base, period=root.period, nested=(root,))
    return root if root.effect is not None else replace(root, effect=_guessed(root))


def _guessed(root: Provision) -> Effect | None:
    """The effect of a root of which nobody says it. Whatever is excepted from it, or narrowed by it, was denied; one
    that says nothing denies nothing: most Consents on file are signed papers without a rule.
    """
    bare = Provision(None, period=root.period, nested=root.nested)
    if root != bare or any(each.effect is Effect.PERMIT for each in root.nested):
        return Effect.DENY
    return None


def _is_plain(resource: Json) -> bool:
    root = resource.get("provision")
    rule = {_BASES.get(each) for each in _coding_tokens(resource.get("policyRule"))}
    if not isinstance(root, dict) or rule != {Effect.DENY} or root.keys() != {"provision"}:
        return False
    nested = _objects(root, "provision") or ()
    return bool(nested) and all(_effect(each) is Effect.PERMIT and "provision" not in each for each in nested)


def _effect(node: Json) -> Effect | None:
    said = node.get("type")
    return next((effect for effect in Effect if effect.value == said), None)


def _receives(node: Json) -> bool:
    return any(
        code in _RECEIVING and system.startswith(f"{_TERMINOLOGY}/")
        for system, code in _coding_tokens(node.get("role"))
    )


def _datum(node: Json) -> Datum:
    reference = node.get("reference")
    known = reference if isinstance(reference, dict) else {}
    written, identifier = _text(known.get("reference")), known.get("identifier")
    system, value = _token(identifier, "value") if isinstance(identifier, dict) else ("", "")
    uid = _UID.fullmatch(value) if system == "urn:dicom:uid" else None
    own = written.partition("/_history/")[0]
    return Datum(_text(node.get("meaning")), own if _OWN.fullmatch(own) else "", uid[1] if uid and not written else "")


def _concepts(nodes: tuple[Json, ...]) -> Iterator[Token]:
    """The codings of all, one of which is enough; a concept of words alone is a code that nobody knows."""
    for node in nodes:
        yield from _coding_tokens(node) or [("", "")]


def _coding_tokens(concept: Any) -> list[Token]:
    codings = _objects(concept, "coding") if isinstance(concept, dict) else ()
    return [_token(coding) for coding in codings or ()]


def _token(node: Json, name: str = "code") -> Token:
    return _text(node.get("system")), _text(node.get(name))


def _objects(node: Json, name: str) -> tuple[Json, ...] | None:
    """The objects in the list called `name`, none where it is not there; None where it is no such list.

    A lone object counts as a list of one, as some servers send it.
    """
    found = node.get(name, ())
    listed = [found] if isinstance(found, dict) else found
    if not isinstance(listed, list | tuple) or (name in node and not listed):
        return None
    return tuple(listed) if all(isinstance(each, dict) for each in listed) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= 1024 else ""
