"""One page of a long list, for browsers that get all of it as HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """`items` of a list of `total`; `first` is the first one's place (from 1), `last` the last page's number."""

    items: Sequence[Item]
    number: int
    last: int
    first: int
    total: int


def page_of(items: Sequence[Item], number: int, size: int) -> Page[Item]:
    """Page `number` (from 1) in pages of `size`; numbers past either end mean that end."""
    last = max(1, -(-len(items) // size))
    number = min(last, max(1, number))
    start = (number - 1) * size
    return Page(items[start : start + size], number, last, start + 1, len(items))
