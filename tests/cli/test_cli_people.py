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


async def test_users_are_listed_a_line_each(server: Server, data: Path) -> None:
    ada = await server.user("ada", email="ada@example.org")
    ben = await server.user("ben")
    await cli("user", "add", "zoe", "--admin", "--password-stdin", "--data", data, given=PASSWORD)
    result = await cli("user", "list", "--data", data)
    assert (result.code, result.err) == (0, "")
    lines = [line.split("\t") for line in result.out.splitlines()]
    assert lines[0] == [ada.user_id, "ada", "user", "-", "ada@example.org"]
    assert lines[1] == [ben.user_id, "ben", "user", "-", "-"]
    assert lines[2][1:] == ["zoe", "admin", "-", "-"]
    some = await cli("user", "list", "be", "--data", data)
    assert [line.split("\t")[1] for line in some.out.splitlines()] == ["ben"]


async def test_a_new_password_counts_and_the_logins_of_before_are_over(
    server: Server, data: Path
) -> None:
    ada = await server.user("ada")
    result = await cli(
        "user", "passwd", "ada", "--password-stdin", "--data", data, given=PASSWORD + "\n"
    )
    assert (result.code, result.out, result.err) == (0, "", "")
    credentials = {"name": "ada", "password": PASSWORD}
    answer = await server.client.post(f"{server.url}/api/login", json=credentials)
    assert answer.json()["user_id"] == ada.user_id
    with pytest.raises(Refused, match="401"):
        await ada.api("GET", "/me")


async def test_a_password_that_is_too_short_changes_nothing(server: Server, data: Path) -> None:
    ada = await server.user("ada")
    words = ("user", "passwd", "ada", "--password-stdin", "--data", data)
    (await cli(*words, given="short\n")).check_failed("at least 8")
    await ada.api("GET", "/me")


async def test_a_user_is_removed_once_it_is_confirmed(server: Server, data: Path) -> None:
    ada = await server.user("ada")
    refused = await cli("user", "remove", "ada", "--data", data, given="n\n")
    assert refused.code == 1
    await ada.api("GET", "/me")
    result = await cli("user", "remove", "ada", "--data", data, given="y\n")
    assert (result.code, result.out) == (0, "")
    with pytest.raises(Refused, match="401"):
        await ada.api("GET", "/me")
    assert (await cli("user", "list", "--data", data)).out == ""


async def test_the_only_administrator_is_not_removed(data: Path) -> None:
    await cli("user", "add", "ada", "--admin", "--password-stdin", "--data", data, given=PASSWORD)
    result = await cli("user", "remove", "ada", "--yes", "--data", data)
    result.check_failed("only administrator")


@pytest.mark.parametrize("words", [("passwd", "--password-stdin"), ("remove", "--yes")])
async def test_nobody_is_changed_in_a_sentence(data: Path, words: tuple[str, str]) -> None:
    verb, flag = words
    result = await cli("user", verb, "nobody", flag, "--data", data, given=PASSWORD)
    result.check_failed("There is no user 'nobody'")
