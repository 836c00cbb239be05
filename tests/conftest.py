"""Options and fixtures of all tests. `tests/` is on the path: helpers are `support.…`."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

sys.path.insert(0, str(Path(__file__).parent))

from support.clock import Clock
from support.routes import compile_once

# Where the tests run in the background it may be ignored, and so it would by what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
compile_once()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--crash-rounds", type=int, default=3, help="how often the crash test kills the server"
    )
    parser.addoption(
        "--few", action="store_true", help="of the transports only one of each kind: while working"
    )
    parser.addoption(
        "--no-skips", action="store_true", help="fail when a test is skipped (CI has all programs)"
    )


FEW = {"ws", "sse", "poll"}
OF_MANY = ("gauntlet", "thorough")  # one of many alike: some of them stand for the rest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    few = config.getoption("--few")
    asked = config.getoption("markexpr") or ""
    all_proxies = any(name in asked for name in OF_MANY)
    out = [
        item
        for item in items
        if (few and _is_another_way(item)) or not (all_proxies or _stands_for_the_rest(item))
    ]
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item not in set(out)]


def _stands_for_the_rest(item: pytest.Item) -> bool:
    """Whether a test of one of many proxies is run without being asked for by its mark."""
    marks = [mark for name in OF_MANY for mark in item.iter_markers(name)]
    return all(mark.kwargs.get("always") for mark in marks)


def _is_another_way(item: pytest.Item) -> bool:
    """A test of a transport that differs little from one that is tested anyway."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    return getattr(params.get("transport"), "name", "ws") not in FEW


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where nothing may be skipped, a test that was is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and reporter.stats.get("skipped") and session.config.getoption("--no-skips"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of today's schema; to be copied, not opened."""
    from quartchat.store.upgrade import upgrade

    path = tmp_path_factory.mktemp("migrated") / "quartchat.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def new_folder(migrated: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Makes a data folder that holds an empty database."""

    def make(name: str = "data") -> Path:
        folder = tmp_path / name
        folder.mkdir()
        shutil.copyfile(migrated, folder / "quartchat.db")
        return folder

    return make


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def leaves_no_task() -> AsyncIterator[None]:
    """Whatever a test started has ended when it is over."""
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"still running: {left}"
