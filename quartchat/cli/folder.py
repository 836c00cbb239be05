"""Working on a data folder from the command line, also while a server runs on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from quartchat.assemble import assemble
from quartchat.config import Settings, SettingsError
from quartchat.services import Services, show_nothing
from quartchat.store import migrate


@asynccontextmanager
async def opened(settings: Settings, *, make: bool = True) -> AsyncIterator[Services]:
    """Services without a server; a running one hears of what is written by following the log.
    Raises SettingsError for a folder without a database, unless it may be made."""
    if not make and not settings.database.exists():
        raise SettingsError(f"there is no database in {settings.data}; choose it with --data")
    services = assemble(settings, show_nothing)
    try:
        await migrate.ensure(services.database)
        await services.feed.start()
        services.writer.start()
        yield services
    finally:
        await services.writer.close()
        await services.database.close()
