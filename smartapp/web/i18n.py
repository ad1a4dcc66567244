"""Languages: gettext catalogues, chosen by what the browser prefers."""

from pathlib import Path
from typing import Final

from flask import Flask, request
from flask_babel import Babel

LANGUAGES: Final = ("en", "es")


def locale() -> str:
    """The best of our languages for this browser."""
    return request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


def register(app: Flask) -> None:
    """Gives templates and views their words."""
    catalogues = Path(__file__).parent.parent / "translations"
    Babel(app, locale_selector=locale, default_translation_directories=str(catalogues))
