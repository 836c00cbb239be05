"""How large a file may be, and how much room there is for it."""

from __future__ import annotations

from quartchat.chat.core import Core
from quartchat.errors import ChatError, Invalid, QuotaExceeded, TooLarge
from quartchat.store import files
from quartchat.store.people import Fetch


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
    """Bytes that this user may send yet, at most those of one file."""
    settings, free = core.settings, core.settings.max_upload
    for quota, of in ((settings.quota_per_user, user_id), (settings.quota_total, None)):
        if quota:
            free = min(free, quota - await files.used(fetch, of))
    return max(0, free)


async def check_room(core: Core, fetch: Fetch, user_id: str, size: int) -> None:
    """Raises QuotaExceeded."""
    if size > await room(core, fetch, user_id):
        raise QuotaExceeded(field="file")
