"""What a user has set for themselves: which types of notifications they get."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from quartchat.chat.core import Core
from quartchat.chat.notices import TYPES
from quartchat.chat.profiles import standing
from quartchat.errors import Invalid
from quartchat.store import people
from quartchat.store.writer import Transaction


def of_row(row: Any) -> dict[str, Any]:
    """{notify: {type: whether it is on, of all types}}."""
    notify = json.loads(row.preferences).get("notify", {})
    return {"notify": {type_: bool(notify.get(type_, True)) for type_ in TYPES}}


async def get(core: Core, user_id: str) -> dict[str, Any]:
    """As `of_row`. Raises UserNotFound."""
    return of_row(await core.database.read(lambda c: standing(c.execute, user_id)))


async def change(core: Core, user_id: str, wish: Mapping[str, Any]) -> dict[str, Any]:
    """Change what `wish` names ({notify: {type: bool}}), and nothing else; all as `of_row`.
    Raises Invalid, naming the field that is unknown or no truth value."""
    notify = _checked(wish)

    async def work(tx: Transaction) -> None:
        row = await standing(tx.fetch, user_id)
        kept = json.loads(row.preferences)
        kept["notify"] = {**kept.get("notify", {}), **notify}
        people.change(tx, user_id, preferences=json.dumps(kept))

    await core.writer.do(work)
    return await get(core, user_id)


def _checked(wish: Mapping[str, Any]) -> dict[str, bool]:
    _known(wish, ("notify",), "")
    notify = wish.get("notify", {})
    if not isinstance(notify, Mapping):
        raise Invalid("The setting notify takes an object.", field="notify")
    _known(notify, TYPES, "notify.")
    for name, value in notify.items():
        if not isinstance(value, bool):
            raise Invalid("A notification is on (true) or off (false).", field=f"notify.{name}")
    return dict(notify)


def _known(given: Mapping[str, Any], names: tuple[str, ...], path: str) -> None:
    for name in given:
        if name not in names:
            field = path + str(name)[:60]
            raise Invalid("There is no setting {name!r}.", field=field, name=field)
