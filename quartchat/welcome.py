"""The first start: how the first administrator gets in."""

from __future__ import annotations

from quartchat.chat.people import needs_admin
from quartchat.services import Services


async def first_steps(services: Services, address: str) -> None:
    """Print where to go; on a server without an administrator, a link that makes one."""
    if not await needs_admin(services.core):
        print(f"quartchat is ready. Open {address} in a browser.", flush=True)
        return
    print(
        "quartchat is ready. It has no administrator yet: open this link to become the first\n"
        f"(it works once):\n\n    {address}/signup?setup={services.setup_code}\n\n"
        "(or use: quartchat user add NAME --admin)",
        flush=True,
    )
