"""The storage that the settings ask for."""

from __future__ import annotations

import importlib
import importlib.util

import structlog

from quartchat.config import Settings, SettingsError
from quartchat.errors import Unavailable
from quartchat.storage.base import Storage
from quartchat.storage.folder import Folder

log = structlog.get_logger("quartchat")
NEEDED = ("s3_endpoint", "s3_key", "s3_secret")


def open_storage(settings: Settings) -> Storage:
    """A bucket where one is set, else a folder in `data`; to be checked (`check`) before use.
    Raises SettingsError with one line that says what to change."""
    if not settings.s3_bucket:
        return Folder(settings.data / "files" / "stored")
    for name in NEEDED:
        if not getattr(settings, name):
            raise SettingsError(f"setting {name}: is needed with s3_bucket")
    return _s3(settings)


def _s3(settings: Settings) -> Storage:
    if importlib.util.find_spec("aiobotocore") is None:
        raise SettingsError("s3_bucket needs one more package; run: pip install 'quartchat[s3]'")
    # Imported here: the library takes time and memory, and most servers do without.
    storage: Storage = importlib.import_module("quartchat.storage.s3").S3(
        settings.s3_bucket,
        settings.s3_endpoint,
        settings.s3_region,
        settings.s3_key,
        settings.s3_secret,
        settings.s3_prefix,
    )
    return storage


async def made_ready(storage: Storage) -> None:
    """To be called before use. A store that does not answer now may later: people can talk
    meanwhile. Raises SettingsError for what will not work; the storage is closed then."""
    try:
        await storage.check()
    except Unavailable as error:
        log.warning("storage_unreachable", error=error.message)
    except BaseException:
        await storage.close()
        raise
