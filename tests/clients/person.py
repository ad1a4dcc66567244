"""The person whose record it is, at a browser without script: signs in at the hospital and answers what an app asks."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

from tests.support.visitor import Visitor

_STEPS = 8
"""Pages between an app and the question whether it may: the way, the hospital's sign-in and its own questions."""


class _Going(requests.Session):
    """Follows redirections inside what runs here: where an app is led to, nobody need be listening."""

    def __init__(self, *origins: str) -> None:
        super().__init__()
        self.trust_env = False
        self._origins = origins

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """As requests has it, but None where it leads to an app."""
        target = super().get_redirect_target(resp)
        return target if target is None or _origin(urljoin(resp.url, target)) in self._origins else None


class Person(Visitor):
    """`product` and `ehr` are base URLs; cookies are kept, so a second request finds the person signed in."""

    def __init__(self, product: str, ehr: str, username: str, password: str) -> None:
        super().__init__()
        self.http = _Going(_origin(product), _origin(ehr))
        self._username, self._password = username, password

    def allow(self, url: str, **changes: list[str]) -> str:
        """Goes where an app sends a browser, and allows what is asked, with `changes` (field: values) to the page.

        Returns the address at the app that the browser is sent to.
        """
        return self._answer(url, "approve", changes)

    def refuse(self, url: str) -> str:
        """The same, but the answer is no."""
        return self._answer(url, "deny", {})

    def preview(self, url: str, changes: dict[str, list[str]]) -> str:
        """Goes where an app sends a browser, and looks what would be allowed with `changes`: that part of the page."""
        self._send(url, "/preview", changes)
        assert self.page.status_code == 200, self.page.text[:2000]
        return self.page.text

    def sign_out(self, url: str) -> str:
        """Goes where an app sends a browser to be signed out, and agrees; the address at the app afterwards."""
        self.open(url).submit("Sign out")
        return self._sent()

    def _answer(self, url: str, decision: str, changes: dict[str, list[str]]) -> str:
        self._send(url, "", {**changes, "decision": [decision]})
        return self._sent()

    def _send(self, url: str, below: str, changes: dict[str, list[str]]) -> None:
        """Sends the form of the page that asks, to an address `below` its own."""
        self.open(url)
        self._reach("/oauth/approve/")
        asked = _Fields()
        asked.feed(self.page.text)
        fields = [(name, value) for name, value in asked.fields if name not in changes]
        fields += [(name, value) for name, values in changes.items() for value in values]
        self.page = self.http.post(urljoin(self.page.url, asked.action) + below, data=fields, timeout=60)

    def _reach(self, path: str) -> None:
        """Fills in what stands between here and a page with `path` in its address."""
        for _ in range(_STEPS):
            if path in self.page.url and self.page.ok:
                return
            names = {name for form in self.forms() for name in form.fields}
            if "username" in names:
                self.submit(username=self._username, password=self._password)
            elif any("decision" in {name for name, _, _ in form.buttons} for form in self.forms()):
                self.submit("approve")
            elif self.forms():
                self.submit()
            else:
                break
        raise AssertionError(f"{self.page.url} answers {self.page.status_code}: {self.page.text[:500]}")

    def _sent(self) -> str:
        target = self.http.get_redirect_target(self.page) or self.page.headers.get("Location")
        assert self.page.is_redirect, f"{self.page.url} answers {self.page.status_code}: {self.page.text[:2000]}"
        assert target is not None
        return urljoin(self.page.url, target)


class _Fields(HTMLParser):
    """What the form with the buttons for yes and no would send, all values of a name, as a browser would."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: list[tuple[str, str]] = []
        self._inside = False
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = said.get("class") == "terms"
            self.action = said["action"] if self._inside else self.action
        if not self._inside:
            return
        if tag == "input" and said.get("name") and (said.get("type") not in {"radio", "checkbox"} or "checked" in said):
            self.fields.append((said["name"], said.get("value", "")))
        elif tag == "select":
            self._select = said["name"]
        elif tag == "option" and self._select:
            self.fields = [field for field in self.fields if field[0] != self._select or "selected" not in said]
            if self._select not in dict(self.fields):
                self.fields.append((self._select, said.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select":
            self._select = ""


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
