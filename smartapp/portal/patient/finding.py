"""Finding one study among hundreds: by year, kind, part of the body, and words."""

import re
import unicodedata
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from flask_babel import gettext as _

from smartapp.errors import SmartappError
from smartapp.portal import words
from smartapp.records.model import StudySummary
from smartapp.security.keyring import Keyring

LONGEST: Final = 100
"""Characters of a search that are read; more is no search."""
UNDATED: Final = "none"
_WORD: Final = re.compile(r"\w+")
_AAD: Final = b"portal search "


@dataclass(frozen=True)
class Wish:
    """What a person wants to see. Empty fields ask for nothing; `words` are as typed."""

    year: str = ""
    kind: str = ""
    part: str = ""
    words: str = ""

    def __bool__(self) -> bool:
        return any((self.year, self.kind, self.part, self.words))

    def match(self, study: StudySummary) -> bool:
        """Whether year, kind and part fit, and each word of the wish begins a word of the study."""
        return (
            self.year in {"", year_of(study)}
            and (not self.kind or self.kind in words.kind_codes(study))
            and (not self.part or self.part in words.part_keys(study))
            and self._found_in(study)
        )

    def _found_in(self, study: StudySummary) -> bool:
        wanted = _folded(self.words)
        there = _folded(" ".join(_texts(study))) if wanted else ()
        return all(any(word.startswith(start) for word in there) for start in wanted)


@dataclass(frozen=True)
class Choice:
    """One entry of a filter: its value in the address, its words, and how many studies it would leave."""

    value: str
    label: str
    count: int


@dataclass(frozen=True)
class Choices:
    """The entries of the three filters. Each counts what the other filters leave."""

    years: tuple[Choice, ...]
    kinds: tuple[Choice, ...]
    parts: tuple[Choice, ...]


def wish_of(args: Mapping[str, str], keyring: Keyring, context_id: str) -> Wish:
    """The wish that an address holds. Whatever cannot be read in it asks for nothing."""
    return Wish(
        year=args.get("year", "")[:LONGEST],
        kind=args.get("kind", "")[:LONGEST],
        part=args.get("part", "")[:LONGEST],
        words=_opened(args.get("words", ""), keyring, context_id),
    )


def address_of(wish: Wish, keyring: Keyring, context_id: str) -> dict[str, str]:
    """The wish as parameters of an address, for `wish_of`.

    Words that a person types may say what ails them, and addresses are kept by browsers and proxies: the words are
    sealed, for this context alone. Year, kind and part of the body are the list's own and stay readable.
    """
    sealed = ""
    if wish.words:
        box = keyring.seal(wish.words[:LONGEST].encode(), _AAD + context_id.encode())
        sealed = urlsafe_b64encode(box).decode().rstrip("=")
    given = {"year": wish.year, "kind": wish.kind, "part": wish.part, "words": sealed}
    return {name: value for name, value in given.items() if value}


def choices(studies: Iterable[StudySummary], wish: Wish) -> Choices:
    """What the filters offer over these studies: newest year first, the others by how many there are."""
    worded = Wish(words=wish.words)
    every = tuple(study for study in studies if worded.match(study))  # the costly half, once for all three
    wish = replace(wish, words="")
    years = _counted(every, replace(wish, year=""), lambda study: (year_of(study),))
    kinds = _counted(every, replace(wish, kind=""), words.kind_codes)
    parts = _counted(every, replace(wish, part=""), words.part_keys)
    return Choices(
        years=tuple(_offered(sorted(years.items(), reverse=True), _year_label, wish.year)),
        kinds=tuple(_offered(kinds.most_common(), words.kind_word, wish.kind)),
        parts=tuple(_offered(parts.most_common(), words.part_word, wish.part)),
    )


def year_of(study: StudySummary) -> str:
    """The year at the hospital, `none` when the date is not known."""
    return str(study.started.year) if study.started else UNDATED


def _counted(
    studies: Iterable[StudySummary], wish: Wish, keys: Callable[[StudySummary], Iterable[str]]
) -> Counter[str]:
    return Counter(key for study in studies if wish.match(study) for key in keys(study))


def _offered(counted: list[tuple[str, int]], label: Callable[[str], str], chosen: str) -> Iterable[Choice]:
    """The entries; the chosen one stays among them when the other filters leave nothing of it."""
    if chosen and chosen not in dict(counted):
        counted = [*counted, (chosen, 0)]
    return (Choice(value, label(value), count) for value, count in counted)


def _year_label(year: str) -> str:
    return str(_("Date not known")) if year == UNDATED else year


def _texts(study: StudySummary) -> Iterable[str]:
    yield from (words.study_title(study), study.description, study.place, year_of(study))
    yield from study.body_parts
    yield from study.modalities
    yield from study.report_titles
    yield from map(words.kind_word, words.kind_codes(study))


def _folded(text: str) -> list[str]:
    """The words, without accents and case: people type what their keyboard gives them."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return _WORD.findall("".join(letter for letter in apart if not unicodedata.combining(letter)))


def _opened(sealed: str, keyring: Keyring, context_id: str) -> str:
    try:
        box = urlsafe_b64decode(sealed.encode() + b"=" * (-len(sealed) % 4))
        return keyring.open_(box, _AAD + context_id.encode()).decode() if sealed else ""
    except (SmartappError, ValueError):
        return ""
