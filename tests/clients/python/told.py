"""A program's side of the talk with its test: one line of JSON each way."""

import json
import sys
from typing import Any

Told = dict[str, Any]


def given() -> Told:
    """What the test hands over: addresses, client credentials, expectations are not among them."""
    line: Told = json.loads(sys.stdin.readline())
    return line


def person(url: str) -> str:
    """Sends the person's browser to `url`; the address at which the browser comes back to the app."""
    _say({"open": url})
    return sys.stdin.readline().strip()


def found(**facts: Any) -> None:
    """The end: what the client made of us."""
    _say({"found": facts})


def _say(line: Told) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
