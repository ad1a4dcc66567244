"""What people call things: modalities, parts of the body, files, browsers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from smartapp.records.contents import has_pictures

if TYPE_CHECKING:
    from smartapp.records.model import SeriesSummary, StudySummary

KINDS: Final = {
    "CT": _l("CT scan"),
    "MR": _l("MRI scan"),
    "CR": _l("X-ray"),
    "DX": _l("X-ray"),
    "RG": _l("X-ray"),
    "IO": _l("Dental X-ray"),
    "PX": _l("Dental X-ray"),
    "MG": _l("Mammogram"),
    "US": _l("Ultrasound"),
    "IVUS": _l("Ultrasound"),
    "NM": _l("Nuclear medicine scan"),
    "PT": _l("PET scan"),
    "XA": _l("Angiography"),
    "RF": _l("X-ray film"),
    "BMD": _l("Bone density scan"),
    "OCT": _l("Eye scan"),
    "OP": _l("Eye photograph"),
    "ES": _l("Endoscopy"),
    "XC": _l("Photograph"),
    "GM": _l("Microscopy"),
    "SM": _l("Microscopy"),
    "ECG": _l("Electrocardiogram"),
}
"""By DICOM modality (PS3.3 §C.7.3.1.1.1). Those that are no examination (SR, PR, KO, SEG …) have no word here."""

_SAME_KIND: Final = {"CR": "DX", "RG": "DX", "PX": "IO", "IVUS": "US", "SM": "GM"}
"""Modalities that people call by one word, under one of them."""

BODY: Final = {
    "abdomen": _l("abdomen"),
    "abdominal": _l("abdomen"),
    "ankle": _l("ankle"),
    "arm": _l("arm"),
    "bladder": _l("bladder"),
    "brain": _l("brain"),
    "breast": _l("breast"),
    "chest": _l("chest"),
    "thoracic": _l("chest"),
    "thorax": _l("chest"),
    "elbow": _l("elbow"),
    "eye": _l("eye"),
    "face": _l("face"),
    "finger": _l("finger"),
    "foot": _l("foot"),
    "forearm": _l("forearm"),
    "hand": _l("hand"),
    "head": _l("head"),
    "heart": _l("heart"),
    "hip": _l("hip"),
    "kidney": _l("kidney"),
    "knee": _l("knee"),
    "leg": _l("leg"),
    "liver": _l("liver"),
    "lung": _l("lung"),
    "neck": _l("neck"),
    "pelvis": _l("pelvis"),
    "prostate": _l("prostate"),
    "shoulder": _l("shoulder"),
    "skull": _l("skull"),
    "spine": _l("spine"),
    "thigh": _l("thigh"),
    "thyroid": _l("thyroid"),
    "toe": _l("toe"),
    "uterus": _l("uterus"),
    "whole body": _l("whole body"),
    "wrist": _l("wrist"),
}
"""Words for parts of the body that we can say in every language; others are shown as the hospital wrote them."""

_SAME_PART: Final = {"abdominal": "abdomen", "thoracic": "chest", "thorax": "chest"}

_FILES: Final = {
    "application/pdf": "PDF",
    "text/html": "HTML",
    "text/plain": _l("text"),
    "application/rtf": "RTF",
    "image/jpeg": "JPEG",
    "image/png": "PNG",
}

_FILLER: Final = re.compile(r" (?:structure|region structure|region|part|joint structure|of body)\Z")

_STANDINGS: Final = {
    "final": "final",
    "amended": "amended",
    "corrected": "amended",
    "appended": "amended",
    "registered": "preliminary",
    "partial": "preliminary",
    "preliminary": "preliminary",
    "cancelled": "withdrawn",
    "entered-in-error": "withdrawn",
}


def study_title(study: StudySummary) -> str:
    """What a person calls the study: its kind and the part of the body, else the hospital's own words."""
    kinds = dict.fromkeys(str(KINDS[code]) for code in study.modalities if code in KINDS)
    parts = ", ".join(dict.fromkeys(_body(part) for part in study.body_parts))
    if kinds and parts:
        return str(_("%(kind)s: %(body)s", kind=" + ".join(kinds), body=parts))
    return " + ".join(kinds) or study.description or parts or str(_("Imaging study"))


def kind_codes(study: StudySummary) -> tuple[str, ...]:
    """The study's kinds, one code for all that people call by one word; none for what is no examination."""
    return tuple(dict.fromkeys(_SAME_KIND.get(code, code) for code in study.modalities if code in KINDS))


def kind_word(code: str) -> str:
    """What people call a kind."""
    return str(KINDS.get(code, code))


def part_keys(study: StudySummary) -> tuple[str, ...]:
    """The study's parts of the body, in one spelling whatever the language of the page."""
    return tuple(dict.fromkeys(map(_part_key, study.body_parts)))


def part_word(key: str) -> str:
    """What people call a part of the body."""
    return str(BODY.get(key, key))


def study_line(study: StudySummary) -> str:
    """The rest that a person knows the study by: the hospital's words, the place, how many pictures."""
    return " · ".join(part for part in (study.description, study.place, study_holds(study)) if part)


def study_holds(study: StudySummary) -> str:
    """How many pictures it has. Archives count objects, so where there are others among them, that is said."""
    count = study.instance_count
    if not count:
        return ""
    if all(map(has_pictures, study.modalities)):
        return str(ngettext("%(num)s picture", "%(num)s pictures", count))
    return str(ngettext("%(num)s picture or document", "%(num)s pictures and documents", count))


def series_title(series: SeriesSummary) -> str:
    """A series' own description, else its number."""
    if series.description:
        return series.description
    return str(_("Series %(number)s", number=series.number) if series.number is not None else _("Series"))


def report_standing(status: str) -> str:
    """What a DiagnosticReport's or Observation's status (FHIR R4 §9.1.6) means to its reader.

    One of `final`, `amended`, `preliminary`, `withdrawn`, `unknown`: a code that we do not know is not taken for final.
    """
    return _STANDINGS.get(status, "unknown")


def kind_of_file(content_type: str) -> str:
    """A word for a media type; parameters do not matter."""
    return str(_FILES.get(content_type.partition(";")[0].strip().lower(), _("file")))


def _body(part: str) -> str:
    return part_word(_part_key(part))


def _part_key(part: str) -> str:
    """EHRs send SNOMED CT's full names ("Knee region structure"); people say "knee"."""
    plain = _FILLER.sub("", part.strip().lower())
    plain = _SAME_PART.get(plain, plain)
    return plain if plain in BODY else part
