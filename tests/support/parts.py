"""Parts that a machine may lack. Their absence is said by name; the pipeline demands all of them."""

import os
from typing import TypeVar

import pytest

T = TypeVar("T")


def require(name: str, found: T | None) -> T:
    """`found`, or the test is skipped, or failed under SMARTAPP_REQUIRE_ALL=1, saying that `name` is missing."""
    if found:
        return found
    if os.environ.get("SMARTAPP_REQUIRE_ALL") == "1":
        pytest.fail(f"{name} is not installed, and SMARTAPP_REQUIRE_ALL=1 asks for every part")
    pytest.skip(f"{name} is not installed")
