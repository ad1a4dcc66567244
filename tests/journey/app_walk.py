"""The steps of a person and an app, with the sandbox's sample app; and what the app's token reaches."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import requests
from playwright.sync_api import Page, expect

from smartapp.sandbox.world import Study, build_world

Sandbox = dict[str, Any]
Json = dict[str, Any]
HOSPITAL: Final = "st-elsewhere"
CHEST: Final = "51185008"
INSTANCE: Final = 'multipart/related; type="application/dicom"; transfer-syntax=*'


def studies_of(person: str) -> tuple[Study, ...]:
    return build_world().hospital(HOSPITAL).person(person).studies


def connect(page: Page, sandbox: Sandbox, username: str) -> None:
    """From the sample app to the hospital's sign-in, and on to the page that asks."""
    page.goto(sandbox["sample_app"]["base"])
    page.get_by_role("button", name="Connect to").click()
    sign_in(page, sandbox, username)
    expect(page.get_by_role("heading", level=1)).to_have_text("May “Sample app” see these examinations?")


def sign_in(page: Page, sandbox: Sandbox, username: str) -> None:
    """At the EHR, which the browser was sent to."""
    user = next(user for user in sandbox["users"] if user["username"] == username)
    page.fill("[name=username]", username)
    page.fill("[name=password]", user["password"])
    page.locator("form:has([name=username]) button").click()


def tick(page: Page, name: str, value: str) -> None:
    page.locator(f'input[name="{name}"][value="{value}"]').check()


def allow(page: Page, sandbox: Sandbox) -> Token:
    page.get_by_role("button", name="Allow").click()
    expect(page.locator("#connected")).to_be_visible()
    return Token(json.loads(page.locator("#token").text_content() or ""), sandbox)


def end_access(page: Page, sandbox: Sandbox) -> None:
    """On the page of apps, as it is reached by its public address."""
    page.goto(sandbox["app"]["apps"])
    page.get_by_role("button", name="End access").click()
    expect(page.get_by_text("The app sees nothing any more.")).to_be_visible()


@dataclass
class Token:
    """What the app was given, and what it may do with it."""

    answer: Json
    sandbox: Sandbox

    def get(self, url: str, accept: str = "*/*", **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.answer['access_token']}", "Accept": accept}
        return requests.get(url, headers=headers, timeout=60, **more)

    def fhir(self, path: str, status: int = 200) -> Json:
        found = self.get(f"{self.sandbox['app']['fhir']}/{path}", "application/fhir+json")
        assert found.status_code == status, f"{path}: {found.status_code} {found.text[:300]}"
        body: Json = found.json()
        return body

    def all(self, path: str, count: int = 1) -> list[Json]:
        """What a search finds, page after page of `count`, and what comes along with it."""
        found: list[Json] = []
        bundle = self.fhir(f"{path}{'&' if '?' in path else '?'}_count={count}")
        while True:
            found += bundle.get("entry", [])
            following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
            if not following:
                return found
            bundle = self.get(following[0], "application/fhir+json").json()

    def qido(self, path: str) -> list[Json]:
        found = self.get(f"{self.sandbox['app']['dicomweb']}/{path}", "application/dicom+json")
        assert found.status_code in {200, 204}, f"{path}: {found.status_code} {found.text[:300]}"
        return list(found.json()) if found.status_code == 200 else []

    def wado(self, path: str) -> requests.Response:
        return self.get(f"{self.sandbox['app']['dicomweb']}/{path}", INSTANCE)
