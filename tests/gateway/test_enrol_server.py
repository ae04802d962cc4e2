"""The address of the server is judged when it is read, not when it is asked for."""

from __future__ import annotations

import pytest

from gateway.enrol.server import Server
from kwartier.errors import SettingsError


@pytest.mark.parametrize(
    "url",
    ["wijk.example", "https://", "https://wijk..example", "https://wijk.example:x", "https://w?a"],
)
def test_an_address_that_no_server_can_have_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="write https://HOST"):
        Server(url)
