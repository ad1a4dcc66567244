"""From TOML (or the environment's strings) to the fields of a dataclass, and nothing that is not one."""

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from smartapp.errors import ConfigurationError

T = TypeVar("T")


def build(kind: type[T], table: Any, where: str, folder: Path) -> T:
    """`table` as a `kind`, each value of its field's type; paths are relative to `folder`.

    Raises ConfigurationError for a key that is no field, a field without value, and a value of another type. `where`
    names the table in the sentence.
    """
    if not isinstance(table, Mapping):
        raise ConfigurationError(f"{where} must be a table.")
    hints = get_type_hints(kind)
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type] # `kind` is always a dataclass
    for key in table:
        if key not in known:
            raise ConfigurationError(f"{where} {key} is no setting: remove it, or correct its name.")
    for name, field in known.items():
        if name not in table and field.default is MISSING:
            raise ConfigurationError(f"{where} {name} is missing: add it.")
    return kind(**{key: _value(hints[key], value, f"{where} {key}", folder) for key, value in table.items()})


def from_text(kind: Any, text: str, where: str) -> Any:
    """What TOML would have held, for a value that came as text; lists are separated by commas.

    Raises ConfigurationError where a number is none.
    """
    if get_origin(kind) is tuple:
        return text.split(",")
    if kind not in (int, float):
        return text
    try:
        return kind(text)
    except ValueError:
        raise ConfigurationError(f"{where} must be a number.") from None


def _value(kind: Any, value: Any, where: str, folder: Path) -> Any:
    if get_origin(kind) in (Union, types.UnionType):  # always something or None
        return _value(get_args(kind)[0], value, where, folder)
    if get_origin(kind) is Literal:
        return _choice(get_args(kind), value, where)
    if get_origin(kind) is tuple:
        return _list(get_args(kind)[0], value, where, folder)
    if isinstance(kind, type) and is_dataclass(kind):
        return build(kind, value, where, folder)
    if kind in (int, float):
        return _number(kind, value, where)
    text = _text(value, where)
    return folder / text if kind is Path else text


def _choice(choices: tuple[str, ...], value: Any, where: str) -> str:
    if value not in choices:
        raise ConfigurationError(f"{where} must be one of: {', '.join(choices)}.")
    return str(value)


def _number(kind: type, value: Any, where: str) -> Any:
    """Every number of ours counts or measures something: zero and less have no meaning."""
    allowed = int if kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, allowed) or not 0 < value < float("inf"):
        raise ConfigurationError(f"{where} must be a {'whole ' if kind is int else ''}number above zero.")
    return kind(value)


def _list(kind: Any, value: Any, where: str, folder: Path) -> tuple[Any, ...]:
    """Tables of one kind, choices, or texts."""
    if isinstance(kind, type) and is_dataclass(kind):
        if not isinstance(value, list):
            raise ConfigurationError(f"{where} must be [[tables]].")
        return tuple(build(kind, table, f"{where} {at}", folder) for at, table in enumerate(value, start=1))
    texts = _strings(value, where)
    return tuple(_choice(get_args(kind), text, where) for text in texts) if get_origin(kind) is Literal else texts


def _strings(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ConfigurationError(f"{where} must be a list of texts.")
    texts = tuple(_text(item, where) for item in value)
    if len(set(texts)) != len(texts):
        raise ConfigurationError(f"{where} names something twice.")
    return texts


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip() or value != value.strip() or not value.isprintable():
        raise ConfigurationError(f"{where} must be a text, not empty, without spaces around it or control characters.")
    return value
