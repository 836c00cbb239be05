"""Letting go of old events: in the store and in memory. Messages stay, as history; a reader
whose cursor is older is told so (`reset`)."""

from __future__ import annotations

from quartchat.delivery.feed import Feed
from quartchat.store import log
from quartchat.store.writer import Transaction, Writer


async def trim(writer: Writer, feed: Feed, upto: int) -> None:
    """Take away all events up to this id."""

    async def work(transaction: Transaction) -> None:
        await log.trim(transaction, upto)

    await writer.do(work)
    feed.trimmed(upto)
