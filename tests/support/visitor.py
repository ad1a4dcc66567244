"""A person at a browser without script: follows links and redirects, fills in forms, keeps cookies."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests


@dataclass
class Form:
    """A form as it stands on a page, with the values it would send if nothing were changed."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)
    """(name, value, words)"""


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._button: tuple[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(found.get("action", ""), found.get("method", "get").lower()))
        elif tag == "input" and self.forms and found.get("name"):
            if found.get("type") in {"radio", "checkbox"} and "checked" not in found:
                return
            self.forms[-1].fields[found["name"]] = found.get("value", "")
        elif tag == "button" and self.forms:
            self._button = (found.get("name", ""), found.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._button is not None:
            self.forms[-1].buttons.append((*self._button, data.strip()))
            self._button = None


class Visitor:
    """`page` is where the visitor is: the last answer, redirects followed."""

    def __init__(self) -> None:
        self.http = requests.Session()
        self.http.trust_env = False
        self.page = requests.Response()

    def open(self, url: str) -> Visitor:
        self.page = self.http.get(url, timeout=60)
        return self

    def forms(self) -> list[Form]:
        parser = _Forms()
        parser.feed(self.page.text)
        return parser.forms

    def submit(self, words: str | None = None, /, **fields: str) -> Visitor:
        """Fills in and sends the form that has all these fields and a button with these words (or value)."""
        form, button = self._choose(words, fields)
        data: dict[str, Any] = {**form.fields, **fields}
        if button and button[0]:
            data[button[0]] = button[1]
        target = urljoin(self.page.url, form.action)
        parts = urlsplit(self.page.url)
        headers = {"Origin": f"{parts.scheme}://{parts.netloc}"}
        if form.method == "post":
            self.page = self.http.post(target, data=data, headers=headers, timeout=60)
        else:
            self.page = self.http.get(target, params=data, timeout=60)
        return self

    def _choose(self, words: str | None, fields: dict[str, str]) -> tuple[Form, tuple[str, str, str] | None]:
        for form in self.forms():
            wanted = [b for b in form.buttons if words is None or words in {b[1], b[2]}]
            names = set(form.fields) | {name for name, _, _ in form.buttons}
            radio = set(re.findall(r'name="([^"]+)"', self.page.text))
            if set(fields) <= (names | radio) and (wanted or words is None):
                return form, (wanted[0] if wanted and words is not None else None)
        raise AssertionError(
            f"no form with {sorted(fields)} and {words!r} on {self.page.url} ({self.page.status_code})"
        )


def open_my_imaging(sandbox: dict[str, Any], username: str = "ana") -> Visitor:
    """Signs in at the first hospital's portal and presses "My imaging": the visitor stands on our list of studies."""
    password = next(u["password"] for u in sandbox["users"] if u["username"] == username)
    visitor = Visitor().open(sandbox["ehr"]["portal"])
    visitor.submit(username=username, password=password)
    visitor.submit("My imaging")
    visitor.page.raise_for_status()
    return visitor
