"""Every sentence is gathered, translated and compiled."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import smartapp
from smartapp.web.i18n import LANGUAGES

FOLDER = Path(smartapp.__file__).parent / "translations"
TRANSLATED = [language for language in LANGUAGES if language != "en"]
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}")


def _catalogue(language: str) -> Catalog:
    with (FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def _sentences(catalogue: Catalog) -> set[object]:
    return {message.id for message in catalogue if message.id}


def test_the_template_holds_what_the_code_says(tmp_path: Path) -> None:
    gathered = tmp_path / "messages.pot"
    command = [sys.executable, "-m", "babel.messages.frontend", "-q", "extract", "-F", str(FOLDER / "babel.cfg"),
               "-k", "_l", "-o", str(gathered), str(FOLDER.parent)]  # fmt: skip
    subprocess.run(command, check=True)
    with gathered.open("rb") as now, (FOLDER / "messages.pot").open("rb") as kept:
        assert _sentences(read_po(now)) == _sentences(read_po(kept)), "run `make messages`"


@pytest.mark.parametrize("language", TRANSLATED)
def test_everything_is_translated(language: str) -> None:
    with (FOLDER / "messages.pot").open("rb") as template:
        expected = _sentences(read_po(template))
    catalogue = _catalogue(language)
    assert _sentences(catalogue) == expected
    for message in catalogue:
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.id:
            assert all(strings), f"untranslated: {message.id}"
            assert not message.fuzzy, f"fuzzy: {message.id}"


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_keep_their_placeholders(language: str) -> None:
    for message in _catalogue(language):
        sources = message.id if isinstance(message.id, tuple | list) else (message.id,)
        targets = message.string if isinstance(message.string, tuple | list) else (message.string,)
        for source, target in zip(sources, targets, strict=True):
            if message.id:
                assert sorted(PLACEHOLDER.findall(target or "")) == sorted(PLACEHOLDER.findall(source)), source


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_compiled_catalogue_is_the_written_one(language: str) -> None:
    with (FOLDER / language / "LC_MESSAGES" / "messages.mo").open("rb") as file:
        compiled = _strings(read_mo(file))
    assert compiled == _strings(_catalogue(language)), "run `make messages`"


def _strings(catalogue: Catalog) -> list[tuple[str, ...]]:
    """Singular, plural and translations of every message, whichever way a reader wraps them."""

    def flat(value: object) -> tuple[str, ...]:
        return tuple(map(str, value)) if isinstance(value, tuple | list) else (str(value),)

    return sorted(flat(message.id) + flat(message.string) for message in catalogue if message.id)
