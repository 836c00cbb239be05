from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quartchat.auth.tokens import Identity, Tokens
from quartchat.errors import TokenExpired, Unauthenticated

KEY = b"k" * 32
NOW = 1_700_000_000.0


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> Tokens:
    return Tokens(KEY, clock=clock)


def forge(claims: dict[str, Any], *, key: Any = KEY, alg: str = "HS256", **header: Any) -> str:
    defaults = {"iss": "quartchat", "sub": "u1", "exp": NOW + 60}
    merged = {name: v for name, v in (defaults | claims).items() if v is not ...}
    return jwt.encode(merged, key, algorithm=alg, headers=header)


def test_an_own_token_tells_whose_it_is(tokens: Tokens) -> None:
    token = tokens.issue("u1", "Ada", "s1", 900)
    assert tokens.verify(token) == Identity("u1", "Ada", NOW + 900, "s1", True)


def test_a_token_without_name_and_session_is_one_as_well(tokens: Tokens) -> None:
    token = tokens.issue("u1", None, None, 900)
    assert tokens.verify(token) == Identity("u1", None, NOW + 900, None, True)


def test_two_tokens_of_the_same_moment_differ(tokens: Tokens) -> None:
    assert tokens.issue("u1", None, None, 900) != tokens.issue("u1", None, None, 900)


def test_a_token_carries_what_other_programs_look_for(tokens: Tokens) -> None:
    claims = jwt.decode(
        tokens.issue("u1", "Ada", "s1", 900),
        KEY,
        algorithms=["HS256"],
        options={"verify_exp": False},
    )
    assert claims.pop("jti")
    assert claims == {
        "iss": "quartchat", "sub": "u1", "name": "Ada", "sid": "s1",
        "iat": int(NOW), "exp": int(NOW) + 900,
    }  # fmt: skip


def test_a_token_ends_by_the_given_clock_ten_seconds_after_its_time(
    tokens: Tokens, clock: Clock
) -> None:
    token = tokens.issue("u1", None, None, 60)
    clock.now = NOW + 69.9
    tokens.verify(token)
    clock.now = NOW + 70
    with pytest.raises(TokenExpired, match="refresh"):
        tokens.verify(token)


def test_a_clock_that_steps_back_makes_no_token_invalid(tokens: Tokens, clock: Clock) -> None:
    token = tokens.issue("u1", None, None, 60)
    clock.now = NOW - 3600
    assert tokens.verify(token).user_id == "u1"


def test_a_token_is_not_valid_before_its_time(tokens: Tokens) -> None:
    assert tokens.verify(forge({"nbf": NOW + 9}))
    with pytest.raises(Unauthenticated, match="not valid yet"):
        tokens.verify(forge({"nbf": NOW + 11}))


@pytest.mark.parametrize("claim", ["exp", "sub"])
def test_a_token_must_say_whose_it_is_and_when_it_ends(tokens: Tokens, claim: str) -> None:
    with pytest.raises(Unauthenticated, match=claim):
        tokens.verify(forge({claim: ...}))


@pytest.mark.parametrize("exp", ["soon", str(NOW + 60), None, True, [], {}, float("inf"), "NaN"])
def test_an_end_that_is_no_time_is_refused(tokens: Tokens, exp: object) -> None:
    with pytest.raises(Unauthenticated, match="exp"):
        tokens.verify(forge({"exp": exp}))


def test_an_end_in_the_far_future_stays_a_time_that_can_be_counted_with(tokens: Tokens) -> None:
    assert tokens.verify(forge({"exp": 10**300})).expires_at < 10**12


@pytest.mark.parametrize("sub", ["", "x" * 129, "a\nb", "a\x00", "\u2028", 7, None, ["u1"]])
def test_a_subject_that_is_no_plain_text_is_refused(tokens: Tokens, sub: object) -> None:
    with pytest.raises(Unauthenticated, match="sub"):
        tokens.verify(forge({"sub": sub}))


@pytest.mark.parametrize("sub", ["x", "x" * 128, "auth0|5f7c", "ada@example.org", "Zoë Ångström"])
def test_a_subject_is_any_text_up_to_128_characters(tokens: Tokens, sub: str) -> None:
    assert tokens.verify(forge({"sub": sub})).user_id == sub


@pytest.mark.parametrize(
    ("name", "shown"),
    [("  Ada ", "Ada"), ("x" * 300, "x" * 100), ("a\nb", None), ("", None), (7, None)],
)
def test_a_name_that_cannot_be_shown_is_no_name(
    tokens: Tokens, name: object, shown: str | None
) -> None:
    assert tokens.verify(forge({"name": name})).name == shown


def test_a_token_of_another_key_is_refused(tokens: Tokens) -> None:
    with pytest.raises(Unauthenticated, match="another key"):
        tokens.verify(Tokens(b"l" * 32, clock=lambda: NOW).issue("u1", None, None, 60))


def test_a_token_of_another_issuer_is_refused_where_none_is_set(tokens: Tokens) -> None:
    with pytest.raises(Unauthenticated, match="not made by this server"):
        tokens.verify(forge({"iss": "elsewhere"}))


@pytest.mark.parametrize("alg", ["HS384", "HS512"])
def test_a_token_of_another_algorithm_is_refused(tokens: Tokens, alg: str) -> None:
    with pytest.raises(Unauthenticated, match="HS256"):
        tokens.verify(forge({}, key=b"k" * 64, alg=alg))


def test_an_unsigned_token_is_refused(tokens: Tokens) -> None:
    with pytest.raises(Unauthenticated):
        tokens.verify(forge({}, key=None, alg="none"))


def test_a_token_with_unknown_critical_extensions_is_refused(tokens: Tokens) -> None:
    with pytest.raises(Unauthenticated):
        tokens.verify(forge({}, crit=["exp"]))


@given(token=st.text(max_size=200) | st.from_regex(r"[\w-]{1,40}\.[\w-]{1,40}\.[\w-]{0,40}"))
def test_anything_else_is_refused_and_crashes_nothing(token: str) -> None:
    with pytest.raises(Unauthenticated):
        Tokens(KEY, clock=lambda: NOW).verify(token)


def test_a_token_larger_than_all_headers_may_be_is_not_even_read(tokens: Tokens) -> None:
    with pytest.raises(Unauthenticated, match="longer"):
        tokens.verify(forge({"more": "x" * 9000}))


def test_a_refusal_does_not_repeat_the_token(tokens: Tokens) -> None:
    token = forge({"exp": ...})
    with pytest.raises(Unauthenticated) as caught:
        tokens.verify(token)
    assert token not in json.dumps(caught.value.message)


def test_a_short_key_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Tokens(b"short")
