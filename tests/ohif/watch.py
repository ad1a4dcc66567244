"""A browser that draws in software, and everything that is seen of it from outside: addresses, complaints, tokens."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response

FLAGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Cornerstone copies what WebGL drew onto a plain canvas: a picture is there when that holds many shades.
PICTURE = """() => [...document.querySelectorAll('.viewport-element canvas')].some((canvas) => {
  const drawn = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
  const shades = new Set();
  for (let at = 0; at < drawn.length; at += 4 * 101) shades.add(drawn[at]);
  return shades.size > 30;
})"""


@dataclass
class Watch:
    """What was seen of one browser context."""

    addresses: list[str] = field(default_factory=list)
    referers: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    locations: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def follow(self, context: BrowserContext) -> None:
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    @property
    def secrets(self) -> list[str]:
        """The codes and tokens that were handed out."""
        codes = [found[1] for location in self.locations if (found := re.search(r"#code=(\S+)", location))]
        return codes + self.tokens

    def _request(self, request: Request) -> None:
        self.addresses.append(request.url)
        self.referers.append(request.headers.get("referer", ""))

    def _response(self, response: Response) -> None:
        if response.status == 303:
            self.locations.append(response.headers["location"])
        if response.request.method == "POST" and re.search("/ohif/(token|renew)$", response.url) and response.ok:
            self.tokens.append(response.json()["access_token"])

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)


def open_in_ohif(page: Page) -> Page:
    """Presses the button on a study's page; OHIF's page, in its own tab."""
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Open in OHIF (measure)").click()
    return opened.value


def wait_for_picture(ohif: Page) -> None:
    ohif.wait_for_function(PICTURE, timeout=90_000)


def logs(sandbox: dict[str, Any]) -> str:
    """Everything that any part of the sandbox wrote down."""
    found = list(Path(sandbox["data"]).joinpath("logs").glob("*.log"))
    assert {"app.log", "ohif.log"} <= {path.name for path in found}
    return "\n".join(path.read_text(errors="replace") for path in found)
