"""How large a file may be, and how much room there is for it."""

from __future__ import annotations

from quartchat.chat.core import Core
from quartchat.errors import ChatError, Invalid, QuotaExceeded, TooLarge
from quartchat.store import files
from quartchat.store.people import Fetch

ENDLESS = 2**62  # bytes


def check_size(core: Core, size: int) -> None:
    """Raises Invalid, TooLarge."""
    if size <= 0:
        raise Invalid("The file is empty.", field="file")
    if size > core.settings.max_upload:
        raise too_large(core)


def too_large(core: Core) -> ChatError:
    most = core.settings.max_upload
    if most < 2**20:
        return TooLarge("A file is at most {most:,} bytes large.", field="file", most=most)
    return TooLarge("A file is at most {most} MB large.", field="file", most=most // 2**20)


async def room(core: Core, fetch: Fetch, user_id: str) -> int:
    """Bytes that a file of this user may have, as things are."""
    return max(0, min(core.settings.max_upload, await _free(core, fetch, user_id)))


async def check_room(core: Core, fetch: Fetch, user_id: str, size: int) -> None:
    """Whether so many more bytes may be kept. Raises QuotaExceeded."""
    if size > 0 and size > await _free(core, fetch, user_id):
        raise QuotaExceeded(field="file")


async def _free(core: Core, fetch: Fetch, user_id: str) -> int:
    settings, free = core.settings, ENDLESS
    for quota, of in ((settings.quota_per_user, user_id), (settings.quota_total, None)):
        if quota:
            free = min(free, quota - await files.used(fetch, of))
    return free
