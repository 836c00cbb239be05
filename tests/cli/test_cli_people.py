from __future__ import annotations

from pathlib import Path

import pytest
from cli_support import cli
from support.readers import Refused
from support.server import Server

PASSWORD = "five blue horses run"


async def test_a_user_is_made_while_the_server_runs_and_can_log_in(
    server: Server, data: Path
) -> None:
    made = await cli(
        "user", "add", "ada", "--password-stdin", "--data", data, given=PASSWORD + "\n"
    )
    assert (made.code, made.err) == (0, "")
    credentials = {"name": "ada", "password": PASSWORD}
    answer = await server.client.post(f"{server.url}/api/login", json=credentials)
    assert answer.json()["user_id"] == made.out.strip()


async def test_a_name_that_is_taken_is_said_in_a_sentence(data: Path) -> None:
    first = await cli("user", "add", "ada", "--password-stdin", "--data", data, given=PASSWORD)
    assert first.code == 0
    again = await cli("user", "add", "Ada", "--password-stdin", "--data", data, given=PASSWORD)
    again.check_failed("This name is taken")


@pytest.mark.parametrize(
    ("name", "password", "says"),
    [
        ("two words", PASSWORD, "without spaces"),
        ("ada", "short", "at least 8"),
        ("ada", "", "at least 8"),
        ("", PASSWORD, "1 to 40"),
    ],
)
async def test_a_user_who_cannot_be_is_refused_in_a_sentence(
    data: Path, name: str, password: str, says: str
) -> None:
    result = await cli("user", "add", name, "--password-stdin", "--data", data, given=password)
    result.check_failed(says)


async def test_an_administrator_is_made_by_a_flag(server: Server, data: Path) -> None:
    flags = ["--admin", "--email", "ada@example.org"]
    await cli("user", "add", "ada", "--password-stdin", "--data", data, *flags, given=PASSWORD)
    token = (await cli("token", "ada", "--data", data)).out.strip()
    headers = {"Authorization": f"Bearer {token}"}
    me = (await server.client.get(f"{server.url}/api/me", headers=headers)).json()
    assert (me["is_admin"], me["email"]) == (True, "ada@example.org")


async def test_a_token_works_on_the_running_server(server: Server, data: Path) -> None:
    ada = await server.user("ada")
    result = await cli("token", "ada", "--data", data)
    assert (result.code, result.err, len(result.out.split())) == (0, "", 1)
    ada.token = result.out.strip()
    assert (await ada.api("GET", "/me"))["name"] == "ada"


async def test_a_token_lives_as_long_as_was_asked(server: Server, data: Path) -> None:
    ada = await server.user("ada")
    ada.token = (await cli("token", "ada", "--seconds", "3600", "--data", data)).out.strip()
    server.move_clock(3500)
    await ada.api("GET", "/me")
    server.move_clock(1000)
    with pytest.raises(Refused, match="401"):
        await ada.api("GET", "/me")


async def test_a_token_of_nobody_is_refused_in_a_sentence(data: Path) -> None:
    (await cli("token", "nobody", "--data", data)).check_failed("There is no user 'nobody'")


async def test_a_token_of_a_folder_that_is_none_does_not_make_one(tmp_path: Path) -> None:
    result = await cli("token", "ada", "--data", tmp_path / "typo")
    result.check_failed("typo")
    assert not (tmp_path / "typo").exists()
