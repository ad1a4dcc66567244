"""Having the person sign in again, though the EHR may know them already."""

import pytest

from tests.launch.fake_ehr import query_of
from tests.launch.house import House


@pytest.mark.clause("OpenID Connect Core 1.0", "3.1.2.1")
def test_the_ehr_is_asked_to_have_them_sign_in_only_when_somebody_wants_it(house: House) -> None:
    begin = house.launcher.begin
    assert "prompt" not in query_of(begin(provider_id="st-elsewhere").authorize_url)
    assert query_of(begin(provider_id="st-elsewhere", anew=True).authorize_url)["prompt"] == ["login"]
