import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.identity.agents import summary


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/140.0 Safari/537 Edg/140.0", "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 16; K) AppleWebKit/537 Chrome/140 Mobile Safari/537", "Chrome, Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit Version/18 Safari/605", "Safari, macOS"),
        ("curl/8.0", ""),
        ("", ""),
    ],
)
def test_it_says_family_and_system(header: str, said: str) -> None:
    assert summary(header) == said


@given(st.text())
def test_nothing_of_the_header_itself_is_repeated(header: str) -> None:
    assert len(summary(header)) <= 32
    assert summary(f"<b>{header}</b> Firefox").startswith(("Firefox", "Edge", "Opera", "Samsung"))
