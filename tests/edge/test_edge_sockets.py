from __future__ import annotations

import socket

import pytest

from quartchat.server.sockets import (
    SEND_BUFFER,
    USER_TIMEOUT_MS,
    ServerStartError,
    address,
    open_socket,
)


def test_port_zero_takes_a_free_port_and_the_address_names_it() -> None:
    with open_socket("127.0.0.1", 0) as sock:
        assert address(sock) == f"http://127.0.0.1:{sock.getsockname()[1]}"


def test_an_ipv6_address_stands_in_brackets() -> None:
    with open_socket("::1", 0) as sock:
        assert address(sock) == f"http://[::1]:{sock.getsockname()[1]}"


@pytest.mark.parametrize(("host", "shown"), [("0.0.0.0", "127.0.0.1"), ("::", "[::1]")])
def test_a_wildcard_is_shown_as_an_address_that_a_browser_can_open(host: str, shown: str) -> None:
    with open_socket(host, 0) as sock:
        assert address(sock) == f"http://{shown}:{sock.getsockname()[1]}"


def test_localhost_is_taken_as_ipv4() -> None:
    with open_socket("localhost", 0) as sock:
        assert address(sock).startswith("http://127.0.0.1:")


def test_a_stuck_reader_is_bounded_by_the_kernel_in_time_and_memory() -> None:
    with open_socket("127.0.0.1", 0) as sock:
        user_timeout = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        assert user_timeout == USER_TIMEOUT_MS
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * SEND_BUFFER


def test_a_port_in_use_is_refused_with_the_port_and_what_to_do() -> None:
    with open_socket("127.0.0.1", 0) as first:
        first.listen()
        port = first.getsockname()[1]
        with pytest.raises(ServerStartError, match=rf"Port {port} .* in use .*--port"):
            open_socket("127.0.0.1", port)


def test_an_unknown_host_is_refused_by_name() -> None:
    with pytest.raises(ServerStartError, match=r"no-such-host\.invalid"):
        open_socket("no-such-host.invalid", 0)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ServerStartError, match="not an address of this machine"):
        open_socket("192.0.2.1", 0)
