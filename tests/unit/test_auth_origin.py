from __future__ import annotations

import pytest

from quartchat.auth.origin import check_origin
from quartchat.errors import CrossOrigin

ALLOWED = ("https://friend.example", "http://localhost:3000/")


def passes(site: str | None, origin: str | None, host: str, scheme: str = "https") -> bool:
    headers = {"Sec-Fetch-Site": site, "Origin": origin}
    present = {name: value for name, value in headers.items() if value is not None}
    verdicts = set()
    for websocket in (False, True):
        try:
            check_origin(present, host=host, scheme=scheme, allowed=ALLOWED, websocket=websocket)
            verdicts.add(True)
        except CrossOrigin as error:
            assert "another site" in error.message
            assert error.status == 403
            verdicts.add(False)
    (verdict,) = verdicts
    return verdict


@pytest.mark.parametrize(
    ("site", "origin", "good"),
    [
        ("same-origin", None, True),
        ("same-origin", "https://chat.example", True),
        ("same-origin", "https://behind-a-proxy.example", True),
        ("Same-Origin", None, True),
        ("none", None, True),
        ("same-site", None, False),
        ("same-site", "https://other.chat.example", False),
        ("same-site", "https://chat.example:8443", False),
        ("same-site", "https://friend.example", True),
        ("cross-site", None, False),
        ("cross-site", "https://evil.example", False),
        ("cross-site", "https://friend.example", True),
        ("cross-site", "HTTPS://FRIEND.EXAMPLE:443", True),
        ("cross-site", "http://friend.example", False),
        ("cross-site", "http://localhost:3000", True),
        ("cross-site", "http://localhost:3001", False),
        ("cross-site", "null", False),
        ("cross-site", "https://chat.example", False),
        ("", None, False),
        ("something-new", None, False),
    ],
)
def test_sec_fetch_site_decides_where_it_is_sent(site: str, origin: str | None, good: bool) -> None:
    assert passes(site, origin, "chat.example") is good


@pytest.mark.parametrize(
    ("origin", "host", "scheme", "good"),
    [
        ("https://chat.example", "chat.example", "https", True),
        ("https://chat.example", "chat.example", "wss", True),
        ("https://Chat.Example", "chat.EXAMPLE", "https", True),
        ("https://chat.example:443", "chat.example", "https", True),
        ("https://chat.example", "chat.example:443", "https", True),
        ("http://chat.example", "chat.example", "http", True),
        ("http://chat.example", "chat.example:80", "ws", True),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", "ws", True),
        ("http://[::1]:8000", "[::1]:8000", "http", True),
        ("http://[::1]:8000", "[::1]:8001", "http", False),
        ("https://chat.example:8443", "chat.example", "https", False),
        ("https://chat.example", "chat.example:8443", "https", False),
        ("https://evil.example", "chat.example", "https", False),
        ("https://chat.example.evil.example", "chat.example", "https", False),
        ("https://evilchat.example", "chat.example", "https", False),
        ("http://localhost:8000", "127.0.0.1:8000", "http", False),
        ("https://friend.example", "chat.example", "https", True),
        ("https://chat.example", "", "https", False),
    ],
)
def test_origin_decides_by_host_and_port_for_browsers_that_send_nothing_else(
    origin: str, host: str, scheme: str, good: bool
) -> None:
    assert passes(None, origin, host, scheme) is good


def test_a_page_on_plain_http_may_not_use_the_same_host_over_https() -> None:
    assert not passes(None, "http://chat.example", "chat.example", "https")


def test_a_proxy_that_ends_tls_without_telling_breaks_nobody() -> None:
    assert passes(None, "https://chat.example", "chat.example", "http")


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "chat.example",
        "https://",
        "https://chat.example/path",
        "https://chat.example?query",
        "https://user@chat.example",
        "https://chat.example:notaport",
        "https://chat.example:99999",
        "https://chat.example https://evil.example",
        "https://chat.example,https://evil.example",
        "ftp://chat.example",
        "file://",
        "https://[::1",
    ],
)
def test_what_is_no_web_origin_is_refused(origin: str) -> None:
    assert not passes(None, origin, "chat.example")


def test_a_client_that_is_no_browser_sends_neither_and_passes() -> None:
    assert passes(None, None, "chat.example")
