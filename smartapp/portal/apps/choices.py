"""What the form of a permission offers to choose from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from smartapp.consent.labels import is_sensitive
from smartapp.consent.scopes.algebra import intersect, may
from smartapp.consent.scopes.grammar import parse
from smartapp.portal.apps import words
from smartapp.portal.apps.scopes import scope_lines
from smartapp.portal.words import part_keys, part_word

if TYPE_CHECKING:
    from smartapp.consent.grants.model import Terms
    from smartapp.consent.scopes.model import Scopes
    from smartapp.portal.apps.typed import Typed
    from smartapp.records.model import StudySummary

IMAGES: Final = ("full", "deidentified", "none")
"""From most to least."""


@dataclass(frozen=True)
class Box:
    """Something to tick: the value that is sent, its words, and how many studies it is about."""

    value: str
    label: str
    count: int = 0


@dataclass(frozen=True)
class ScopeBox:
    """A scope to tick, as the app wrote it, and what it means. `role`: data, who the person is, for how long, or
    something that the app needs to know to begin.
    """

    value: str
    lines: tuple[str, ...]
    role: Literal["data", "person", "time", "start"]


@dataclass(frozen=True)
class Choices:
    """All that can be ticked. `labelled` studies carry a security label; `gone` are chosen ones that no list has now.

    `offered` is the most that the scopes come to. `about_reports`, `about_images`: whether it speaks of them. The rest
    is less than all where something was allowed before and can only be narrowed.
    """

    scopes: tuple[ScopeBox, ...]
    offered: Scopes
    plain: tuple[StudySummary, ...]
    labelled: tuple[StudySummary, ...]
    gone: tuple[str, ...]
    kinds: tuple[Box, ...]
    parts: tuple[Box, ...]
    purposes: tuple[Box, ...]
    about_reports: bool
    about_images: bool
    images: tuple[str, ...] = IMAGES
    all_studies: bool = True

    @property
    def labelled_uids(self) -> frozenset[str]:
        """The Study Instance UIDs of the labelled studies."""
        return frozenset(study.uid for study in self.labelled)

    @property
    def uids(self) -> frozenset[str]:
        """The Study Instance UIDs of all studies that can be ticked."""
        return frozenset([*(study.uid for study in self.plain), *self.labelled_uids, *self.gone])


def choices_of(asked: str, offered: Scopes, studies: Iterable[StudySummary], typed: Typed) -> Choices:
    """What is offered: each scope of the string `asked` that `offered` lets stand, and what `studies` have. What
    `typed` has ticked of kinds and parts stays among them.
    """
    there = tuple(studies)
    return Choices(
        scopes=tuple(_scope_boxes(asked, offered)),
        offered=offered,
        plain=tuple(study for study in there if not is_sensitive(study.labels)),
        labelled=tuple(study for study in there if is_sensitive(study.labels)),
        gone=(),
        kinds=_kinds(there, typed.modalities),
        parts=_parts(there, typed.body_sites),
        purposes=tuple(Box(code, words.purpose(code)) for code in words.PURPOSES),
        about_reports=any(may(offered, "DiagnosticReport", letter) for letter in "rs"),
        about_images=may(offered, "ImagingStudy", "r"),
    )


def within(choices: Choices, terms: Terms) -> Choices:
    """Of `choices` those that do not allow more than `terms`. Studies that were chosen stay, listed now or not."""
    chosen = terms.chosen
    known = choices.uids
    narrower = IMAGES[IMAGES.index(terms.images) :]
    return replace(
        choices,
        plain=tuple(study for study in choices.plain if chosen is None or study.uid in chosen),
        labelled=tuple(study for study in choices.labelled if study.uid in terms.sensitive),
        gone=tuple(sorted(((chosen or frozenset()) | terms.sensitive) - known)),
        kinds=tuple(box for box in choices.kinds if not terms.modalities or box.value in terms.modalities),
        parts=tuple(box for box in choices.parts if not terms.body_sites or box.value in terms.body_sites),
        purposes=tuple(box for box in choices.purposes if box.value == terms.purpose),
        about_reports=choices.about_reports and terms.reports,
        images=narrower,
        all_studies=chosen is None,
    )


def _scope_boxes(asked: str, offered: Scopes) -> Iterable[ScopeBox]:
    """In the order of the string; what is not offered is not there to tick."""
    for value in dict.fromkeys(asked.split()):
        said = intersect(parse(value), offered)
        if said.resources or said.words:
            yield ScopeBox(value, scope_lines(said), _role(value))


def _role(scope: str) -> Literal["data", "person", "time", "start"]:
    if scope in {"openid", "fhirUser", "profile"}:
        return "person"
    if scope in {"offline_access", "online_access"}:
        return "time"
    return "start" if scope.startswith("launch") else "data"


def _kinds(studies: tuple[StudySummary, ...], ticked: frozenset[str]) -> tuple[Box, ...]:
    """The DICOM modalities, the commonest first; a word that two of them share is told apart by its code."""
    counted = Counter(code for study in studies for code in dict.fromkeys(study.modalities))
    codes = [*(code for code, _count in counted.most_common()), *sorted(ticked - counted.keys())]
    named = Counter(words.kind(code) for code in codes)
    return tuple(
        Box(
            code,
            words.kind(code) if named[words.kind(code)] == 1 else f"{words.kind(code)} ({code})",
            counted[code],
        )
        for code in codes
    )


def _parts(studies: tuple[StudySummary, ...], ticked: frozenset[str]) -> tuple[Box, ...]:
    """The parts of the body by their codes. A study's words are those of its codes where it has as many."""
    counted = Counter(code for study in studies for code in study.body_sites)
    named = {
        code: part_word(key)
        for study in studies
        for code, key in zip(study.body_sites, part_keys(study), strict=False)
        if len(study.body_sites) == len(study.body_parts)
    }
    codes = [*(code for code, _count in counted.most_common()), *sorted(ticked - counted.keys())]
    return tuple(Box(code, words.part(code, named.get(code, "")), counted[code]) for code in codes)
