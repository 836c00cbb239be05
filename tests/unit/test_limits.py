from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quartchat.limits import Buckets

RATES = st.floats(0.01, 10_000)
BURSTS = st.integers(1, 100)


class Clock:
    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_at_once_and_the_next_one_waits_its_turn() -> None:
    clock = Clock()
    buckets = Buckets(10, 3, clock)
    assert [buckets.take("a") for _ in range(3)] == [0.0, 0.0, 0.0]
    assert buckets.take("a") == pytest.approx(0.1)
    clock.now += 0.1
    assert buckets.take("a") == 0.0
    assert buckets.take("a") > 0


def test_keys_do_not_share_a_bucket() -> None:
    buckets = Buckets(1, 1, Clock())
    assert buckets.take("a") == 0.0
    assert buckets.take("b") == 0.0
    assert buckets.take("a") > 0


def test_a_refusal_takes_nothing() -> None:
    clock = Clock()
    buckets = Buckets(1, 2, clock)
    buckets.take("a", 2)
    waits = [buckets.take("a") for _ in range(50)]
    assert set(waits) == {waits[0]}
    clock.now += waits[0]
    assert buckets.take("a") == 0.0


def test_looking_takes_nothing() -> None:
    buckets = Buckets(1, 1, Clock())
    assert [buckets.wait("a") for _ in range(5)] == [0.0] * 5
    assert buckets.take("a") == 0.0
    assert buckets.wait("a") == pytest.approx(1.0)


def test_an_infinite_rate_lets_everything_pass_and_remembers_nothing() -> None:
    buckets = Buckets(math.inf, 1, Clock())
    assert not any(buckets.take("a") for _ in range(1000))
    assert len(buckets) == 0


def test_a_bucket_that_is_full_again_is_forgotten() -> None:
    clock = Clock()
    buckets = Buckets(1, 1, clock)
    for key in range(100):
        buckets.take(key)
    clock.now += 60
    for key in range(100, 200):
        buckets.take(key)
    assert len(buckets) == 100


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_bucket_that_lets_nothing_pass_is_a_mistake(rate: float, burst: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        Buckets(rate, burst, Clock())


@pytest.mark.parametrize("n", [4, -1])
def test_more_than_a_full_bucket_holds_is_a_mistake(n: float) -> None:
    with pytest.raises(ValueError, match="at once"):
        Buckets(1, 3, Clock()).take("a", n)


@given(
    rate=RATES,
    burst=BURSTS,
    start=st.floats(0, 1e7),
    steps=st.lists(st.tuples(st.floats(0, 100), st.integers(1, 100)), max_size=60),
)
def test_never_more_than_the_burst_and_the_refill_pass(
    rate: float, burst: int, start: float, steps: list[tuple[float, int]]
) -> None:
    clock, passed = Clock(start), 0
    buckets = Buckets(rate, burst, clock)
    for pause, n in steps:
        clock.now += pause
        if n <= burst and buckets.take("a", n) == 0.0:
            passed += n
    assert passed <= burst + rate * (clock.now - start + 1e-5) + 1e-6


@given(
    rate=RATES,
    burst=BURSTS,
    start=st.floats(0, 1e7),
    takes=st.lists(st.integers(1, 100), max_size=60),
)
def test_waiting_as_long_as_was_said_is_always_enough(
    rate: float, burst: int, start: float, takes: list[int]
) -> None:
    clock = Clock(start)
    buckets = Buckets(rate, burst, clock)
    for n in takes:
        if n <= burst:
            wait = buckets.take("a", n)
            clock.now += wait
            assert wait == 0.0 or buckets.take("a", n) == 0.0


@given(keys=st.lists(st.integers(0, 1000), max_size=300), most=st.integers(1, 20))
def test_memory_is_bounded_and_the_last_used_stay(keys: list[int], most: int) -> None:
    buckets = Buckets(0.001, 1, Clock(), max_keys=most)
    for key in keys:
        buckets.take(key)
        assert len(buckets) <= most
        assert buckets.wait(key) > 0
