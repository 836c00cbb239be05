from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quartchat.auth.refresh import RefreshTokens
from quartchat.errors import Unauthenticated

TOKENS = RefreshTokens(b"k" * 32)
ALPHABET = "ABCXYZabcxyz019_-"


@given(sid=st.text(ALPHABET, min_size=1, max_size=64), generation=st.integers(0, 10**15 - 1))
def test_a_token_tells_its_session_and_generation(sid: str, generation: int) -> None:
    assert TOKENS.parse(TOKENS.make(sid, generation)) == (sid, generation)


def test_a_token_of_another_key_is_refused() -> None:
    with pytest.raises(Unauthenticated, match="not made here"):
        RefreshTokens(b"l" * 32).parse(TOKENS.make("sid", 1))


@given(place=st.integers(0, 48), letter=st.sampled_from(ALPHABET + ".é\n"))
def test_no_changed_token_passes(place: int, letter: str) -> None:
    token = TOKENS.make("sid", 7)
    changed = token[:place] + letter + token[place + 1 :]
    if changed != token:
        with pytest.raises(Unauthenticated):
            TOKENS.parse(changed)


@pytest.mark.parametrize(
    "token", ["", "a", "a.1", "a.1.b", "a.01." + "x" * 43, "a.-1." + "x" * 43, "é.1." + "x" * 43]
)
def test_what_is_no_refresh_token_is_refused_with_a_sentence(token: str) -> None:
    with pytest.raises(Unauthenticated, match="log in again"):
        TOKENS.parse(token)


@pytest.mark.parametrize(("sid", "generation"), [("", 1), ("a.b", 1), ("a", -1), ("x" * 65, 1)])
def test_a_session_id_that_would_not_come_back_is_a_mistake(sid: str, generation: int) -> None:
    with pytest.raises(ValueError, match="session id"):
        TOKENS.make(sid, generation)
