"""`quartchat bench`."""

from __future__ import annotations

import asyncio
import json
import math
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quartchat.cli.options import told

if TYPE_CHECKING:
    from quartchat.cli.bench_cases import Case
    from quartchat.cli.bench_data import Talk
    from quartchat.services import Services

BATCH = 2000


@click.group()
def command() -> None:
    """Measure on this machine."""


@command.command()
@click.option(
    "--messages",
    default=1_000_000,
    show_default=True,
    type=click.IntRange(1000),
    help="How many to make up.",
)
@click.option(
    "--data",
    default=None,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the messages, kept and used again; else one that is removed in the end.",
)
@click.option(
    "--runs", default=20, show_default=True, type=click.IntRange(1), help="How often each search."
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def search(messages: int, data: Path | None, runs: int, as_json: bool) -> None:
    """Time searches among made-up messages in five scripts.

    Each line is one search of somebody in all chats, or in twenty small ones: how long it
    took, half of the runs and 95 of 100, and of that the processor (p50; on a machine that
    does other things, too, the rest is waiting for it). "more": it ended before the oldest
    message, with a full page or when its time was over.
    """
    with told(), _folder(data) as folder:
        figures = asyncio.run(_measured(folder, messages, runs))
    click.echo(json.dumps(figures, ensure_ascii=False) if as_json else _table(figures))


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        yield data
    else:
        with tempfile.TemporaryDirectory(prefix="quartchat-bench-") as name:
            yield Path(name)


async def _measured(folder: Path, number: int, runs: int) -> list[dict[str, Any]]:
    from quartchat.cli.bench_cases import cases_of  # noqa: PLC0415
    from quartchat.cli.bench_data import Talk  # noqa: PLC0415
    from quartchat.cli.folder import opened  # noqa: PLC0415
    from quartchat.config import Settings  # noqa: PLC0415

    settings, talk = Settings(data=folder, log_level="error"), Talk()
    is_new = not settings.database.exists()
    async with opened(settings) as services:
        if is_new:
            await _fill(services, talk, number)
        return [await _timed(services, case, runs) for case in cases_of(talk)]


async def _fill(services: Services, talk: Talk, number: int) -> None:
    from sqlalchemy import insert, update  # noqa: PLC0415

    from quartchat.store import schema  # noqa: PLC0415

    rows, newest = talk.messages(number), 0
    async with services.database.writer() as connection:
        async with connection.begin():
            await connection.execute(insert(schema.users), talk.users())
            await connection.execute(insert(schema.chats), talk.rooms())
            await connection.execute(insert(schema.members), talk.members())
        bar = click.progressbar(length=number, label="Filling", show_pos=True, file=sys.stderr)
        with bar:
            while batch := [row for _, row in zip(range(BATCH), rows, strict=False)]:
                newest = batch[-1]["event_id"]
                async with connection.begin():
                    await connection.execute(insert(schema.messages), batch)
                bar.update(len(batch))
        async with connection.begin():  # the messages have no events that one could resume from
            state = update(schema.log_state).values(head=newest, floor=newest)
            await connection.execute(state)


async def _timed(services: Services, case: Case, runs: int) -> dict[str, Any]:
    from quartchat.chat import search as searching  # noqa: PLC0415

    times, busy, found = [], [], {}
    for _ in range(runs):
        started, cpu = time.perf_counter(), time.process_time()
        found = await searching.find(services.core, case.user_id, case.query)
        times.append((time.perf_counter() - started) * 1000)
        busy.append((time.process_time() - cpu) * 1000)
    return {
        "search": case.name,
        "p50_ms": _percentile(times, 50),
        "p95_ms": _percentile(times, 95),
        "cpu_ms": _percentile(busy, 50),
        "found": len(found["messages"]),
        "more": found["has_more"],
    }


def _percentile(times: Sequence[float], share: int) -> float:
    return round(sorted(times)[math.ceil(len(times) * share / 100) - 1], 1)


def _table(figures: Sequence[dict[str, Any]]) -> str:
    head = f"{'Search':52}{'p50 ms':>9}{'p95 ms':>9}{'CPU ms':>9}{'found':>7}  more"
    lines = [
        f"{row['search']:52}{row['p50_ms']:9.1f}{row['p95_ms']:9.1f}{row['cpu_ms']:9.1f}"
        f"{row['found']:7}  {'yes' if row['more'] else ''}"
        for row in figures
    ]
    return "\n".join([head, *lines])
