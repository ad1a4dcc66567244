"""What the parts of a permission are called: kinds and places, purposes, states, and what happened to it."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext as _l

from smartapp.consent.bodysites import keyword_of
from smartapp.consent.grants.model import GrantState
from smartapp.portal.words import KINDS, part_word

PURPOSES: Final = {
    "PATRQT": _l("My own use"),
    "FAMRQT": _l("My family's use"),
    "TREAT": _l("My treatment"),
    "COC": _l("Doctors and others who work together on my care"),
    "HRESCH": _l("Research that I take part in"),
    "HPAYMT": _l("Payment, or an insurance"),
}
"""By HL7 v3 PurposeOfUse."""

_MORE_KINDS: Final = {
    "SR": _l("Measurements and findings"),
    "PR": _l("Marks on pictures"),
    "KO": _l("List of important pictures"),
    "SEG": _l("Outlines drawn in pictures"),
    "DOC": _l("Scanned document"),
    "OT": _l("Other pictures"),
    "SC": _l("Copied pictures"),
    "RTSTRUCT": _l("Plan of a radiation treatment"),
    "RTPLAN": _l("Plan of a radiation treatment"),
    "RTDOSE": _l("Dose of a radiation treatment"),
    "REG": _l("Alignment of pictures"),
}
"""DICOM modalities that are no examination and yet can be let through or not."""

STATES: Final = {
    GrantState.ACTIVE: _l("Has access"),
    GrantState.PAUSED: _l("Paused"),
    GrantState.DORMANT: _l("Asleep"),
    GrantState.NEEDS_SIGN_IN: _l("Waits for a sign-in"),
    GrantState.FROZEN: _l("Held"),
    GrantState.ENDED: _l("Ended"),
    GrantState.EXPIRED: _l("Time is over"),
    GrantState.SUSPENDED: _l("Stopped by the hospital"),
}

ADVICE: Final = {
    GrantState.PAUSED: _l("The app sees nothing until you let it go on."),
    GrantState.DORMANT: _l("Nobody has used it for a long time, so the app sees nothing now. You can wake it."),
    GrantState.NEEDS_SIGN_IN: _l(
        "The hospital's system lets the app in no more until you sign in again. Then it goes on by itself."
    ),
    GrantState.FROZEN: _l(
        "The hospital joined this record with another one. The app sees nothing until you allow it again from the app."
    ),
    GrantState.ENDED: _l("The app sees nothing any more. To let it in again, connect it again from the app."),
    GrantState.EXPIRED: _l("The time that was chosen has passed: the app sees nothing any more."),
    GrantState.SUSPENDED: _l("The hospital stopped this app for reasons of security: it sees nothing."),
}
"""What a state means, and what to do."""

EVENTS: Final = {
    "approved": _l("Allowed"),
    "changed": _l("Changed"),
    "paused": _l("Paused"),
    "resumed": _l("Let go on"),
    "dormant": _l("Fell asleep, unused"),
    "woken": _l("Woken"),
    "needs-sign-in": _l("The hospital's system asked for a new sign-in"),
    "signed-in": _l("Goes on after a sign-in"),
    "frozen": _l("Held: the record was joined with another one"),
    "ended": _l("Ended"),
    "expired": _l("Time was over"),
    "suspended": _l("Stopped by the hospital"),
    "reinstated": _l("Let go on by the hospital"),
    "tokens-stopped": _l("Keys made useless: one was used twice, perhaps by a thief"),
}

ACTORS: Final = {
    "patient": _l("by the patient"),
    "representative": _l("by a representative"),
    "app": _l("by the app"),
    "operator": _l("by the hospital"),
    "us": _l("by this site"),
}


def purpose(code: str) -> str:
    """What a purpose of use is called; the code itself for one that is not offered here."""
    return str(PURPOSES.get(code, code))


def kind(code: str) -> str:
    """What a DICOM modality is called; the code itself where people have no word."""
    return str(KINDS.get(code) or _MORE_KINDS.get(code, code))


def state(found: GrantState) -> str:
    """Where a permission stands, in a word or two."""
    return str(STATES[found])


def advice(found: GrantState) -> str:
    """What that means, and what to do about it; empty while all is well."""
    return str(ADVICE.get(found, ""))


def event(kind_of: str) -> str:
    """What happened to a permission."""
    return str(EVENTS.get(kind_of, kind_of))


def actor(by: str) -> str:
    """Who did it."""
    return str(ACTORS.get(by, ""))


def part(code: str, known: str = "") -> str:
    """What a part of the body is called: `known` where its study says it, else the word for DICOM's own keyword."""
    if known:
        return known
    keyword = keyword_of(code)
    return part_word(keyword.lower()) if keyword else code
