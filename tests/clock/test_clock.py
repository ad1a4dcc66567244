"""The clock: the machine's, and only in a sandbox one that can be shifted."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smartapp.clock import SHIFT_FILE, ShiftedClock, SystemClock, clock_of

MINUTE = timedelta(minutes=1)


def test_only_a_sandbox_that_names_a_file_has_a_clock_that_can_be_shifted(tmp_path: Path) -> None:
    named = {SHIFT_FILE: str(tmp_path / "clock")}
    assert isinstance(clock_of("sandbox", named), ShiftedClock)
    assert isinstance(clock_of("sandbox", {}), SystemClock)
    assert isinstance(clock_of("production", named), SystemClock)


@pytest.mark.parametrize(("text", "shift"), [(None, 0), ("86400", 86400), ("-60", -60), ("", 0), ("soon", 0)])
def test_the_shift_is_what_the_file_holds_at_the_moment(tmp_path: Path, text: str | None, shift: int) -> None:
    file = tmp_path / "clock"
    clock = ShiftedClock(file)
    if text is not None:
        file.write_text(text)
    off = clock.now() - datetime.now(UTC) - timedelta(seconds=shift)
    assert abs(off) < MINUTE
