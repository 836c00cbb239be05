from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest
from argon2 import PasswordHasher, extract_parameters

from quartchat.auth import argon, passwords
from quartchat.errors import Invalid


async def test_a_password_matches_its_own_hash_and_no_other() -> None:
    made = await passwords.hash_password("correct horse")
    assert made.startswith("$argon2id$")
    assert await passwords.verify_password(made, "correct horse")
    assert not await passwords.verify_password(made, "correct horse ")


async def test_nobody_has_a_password_and_a_damaged_hash_matches_none() -> None:
    assert not await passwords.verify_password(None, "anything at all")
    assert not await passwords.verify_password("!", "anything at all")


async def test_composed_and_decomposed_letters_are_the_same_password() -> None:
    made = await passwords.hash_password("caf\u00e9 au lait")
    assert await passwords.verify_password(made, "cafe\u0301 au lait")


async def test_a_lone_surrogate_is_a_wrong_password_and_no_crash() -> None:
    assert not await passwords.verify_password(None, "\ud800 and more")


async def test_an_unknown_user_costs_the_same_parameters_as_a_known_one() -> None:
    known = extract_parameters(await passwords.hash_password("correct horse"))
    assert extract_parameters(argon._decoy()) == known
    assert not passwords.needs_rehash(argon._decoy())


def test_a_hash_of_other_parameters_is_to_be_made_again() -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("correct horse")
    assert passwords.needs_rehash(old)
    assert passwords.needs_rehash("no hash")


async def test_at_most_two_are_hashed_at_once_and_none_on_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: set[int] = set()
    make = argon.make

    def watched(password: str) -> str:
        threads.add(threading.get_ident())
        return make(password)

    monkeypatch.setattr(argon, "make", watched)
    await asyncio.gather(*(passwords.hash_password(f"password {n}") for n in range(6)))
    assert 1 <= len(threads) <= passwords.AT_ONCE
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("password", ["12345678", "x" * 512, "ünïcödé!"])
def test_eight_to_512_characters_may_be_a_password(password: str) -> None:
    passwords.check_password(password)


@pytest.mark.parametrize("password", ["", "1234567", "x" * 513, "e\u0301" * 7])
def test_shorter_and_longer_ones_are_refused_with_the_field_named(password: str) -> None:
    with pytest.raises(Invalid, match="characters") as caught:
        passwords.check_password(password)
    assert caught.value.field == "password"


def test_importing_the_module_does_not_load_argon2() -> None:
    code = "import sys, quartchat.auth.passwords; sys.exit('argon2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
