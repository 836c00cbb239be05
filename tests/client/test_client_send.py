from __future__ import annotations

import uuid

import pytest
from fake_server import TOKEN, Fake, Open, Sleeps

from quartchat.client import Client, Refused, Unreachable

pytestmark = pytest.mark.timeout(30)


async def test_a_message_is_sent_and_confirmed(fake: Fake, open_client: Open) -> None:
    ack = await open_client().send("a b?c", "héllo", reply_to="3")
    (posted,) = fake.posted
    assert ack == {"client_id": posted["client_id"], "message_id": "7", "event_id": 7}
    assert (posted["content"], posted["reply_to"]) == ("héllo", "3")
    assert posted["by"] == f"Bearer {TOKEN}"
    assert posted["chat_id"] == "a b?c"
    assert uuid.UUID(posted["client_id"])


@pytest.mark.parametrize("answer", [408, 425, 429, 500, 502, 503, 504, "<html>", ["a list"]])
async def test_what_is_not_confirmed_is_sent_again_under_the_same_client_id(
    fake: Fake, open_client: Open, answer: object
) -> None:
    fake.answers.extend([answer, answer])
    await open_client().send("c", "hello")
    assert len(fake.posted) == 3
    assert len({posted["client_id"] for posted in fake.posted}) == 1


async def test_a_client_id_of_the_caller_is_used(fake: Fake, open_client: Open) -> None:
    mine = str(uuid.uuid4())
    assert (await open_client().send("c", "hello", client_id=mine))["client_id"] == mine


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
async def test_a_refusal_is_not_tried_again_and_tells_the_server_s_reason(
    fake: Fake, open_client: Open, status: int
) -> None:
    fake.answers.append(status)
    with pytest.raises(Refused, match="The server says no") as caught:
        await open_client().send("c", "hello")
    assert (caught.value.status, caught.value.code) == (status, "because")
    assert len(fake.posted) == 1


async def test_the_wait_grows_and_the_server_may_ask_for_more(
    fake: Fake, open_client: Open, sleeps: Sleeps
) -> None:
    fake.answers.extend([503, 503, ("slow down", 429, {"Retry-After": "7"}), 503])
    await open_client().send("c", "hello")
    assert sleeps == [0.5, 1, 7, 4]


async def test_after_all_retries_it_says_that_nothing_was_confirmed(
    fake: Fake, open_client: Open
) -> None:
    fake.answers.extend([503] * 3)
    with pytest.raises(Unreachable, match="not confirmed"):
        await open_client().send("c", "hello", retries=2)
    assert len(fake.posted) == 3


async def test_a_server_that_is_not_there_is_unreachable(sleeps: Sleeps) -> None:
    async with Client("http://127.0.0.1:1", TOKEN, sleep=sleeps) as client:
        with pytest.raises(Unreachable):
            await client.send("c", "hello", retries=1)
    assert len(sleeps) == 1


def test_an_address_without_a_scheme_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="http"):
        Client("chat.example", TOKEN)
