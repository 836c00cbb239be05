"""The addresses of all pages, and a house in which something of everything has happened."""

from __future__ import annotations

from support.server import Person, Server

INSIDE = {
    "chats": "/chats",
    "archive": "/chats?archived=1",
    "new_chat": "/chats/new",
    "chat": "/chats/{chat}",
    "about": "/chats/{chat}/about",
    "edit": "/chats/{chat}/edit",
    "leave": "/chats/{chat}/leave",
    "sure": "/chats/{chat}/people/{bob}/ban",
    "message": "/chats/{chat}/messages/{message}",
    "preview": "/chats/{room}",
    "rooms": "/rooms",
    "invite": "/invite/{invite}",
    "people": "/people",
    "nobody": "/people?q=zzz",
    "person": "/people/{bob}",
    "asking": "/people/{eve}",
    "friends": "/friends",
    "notifications": "/notifications",
    "search": "/search?q=roses",
    "search_form": "/search",
    "nothing_found": "/search?q=tulips&from=bob",
    "settings": "/settings",
    "profile": "/profile",
    "admin": "/admin",
    "admin_users": "/admin/users",
    "admin_chats": "/admin/chats",
    "admin_connections": "/admin/connections",
    "admin_remove": "/admin/users/{bob}/remove",
    "not_found": "/nothing",
}
OUTSIDE = {
    "login": "/login",
    "signup": "/signup",
    "doctor": "/doctor",
    "door_not_found": "/nothing",
}
LONG = "Donaudampfschifffahrtsgesellschaft"


async def furnish(server: Server, ada: Person) -> dict[str, str]:
    """What to fill into the addresses above; ada becomes an administrator."""
    await server.services.accounts.set_admin(ada.user_id, True, by=None)
    bob, eve, zoe = [await server.user(name) for name in (LONG[:30], "eve", "zoe")]
    chat = await ada.group(bob, eve, title=f"Choir {LONG}")
    room = await bob.group(public=True, title=f"Garden {LONG}")
    surprise = await bob.group(title=f"Surprise {LONG}")
    invite = await bob.api("POST", f"/chats/{surprise}/invites")
    await ada.api("POST", f"/chats/{chat}/invites")
    await ada.api("PATCH", f"/chats/{chat}", description=f"Tuesdays, {LONG * 3}.")
    await bob.api("PATCH", "/me", about=LONG * 5)
    said = await bob.say(chat, f"@ada roses are **out**, see https://example.org/{LONG * 3}")
    await bob.say(room, "slugs!")
    await ada.say(chat, "so they are", reply_to=said["message_id"])
    await ada.api("POST", f"/messages/{said['message_id']}/pin")
    await eve.api("POST", f"/messages/{said['message_id']}/reactions", emoji="🌹")
    await eve.api("POST", f"/friends/{ada.user_id}")
    await bob.api("POST", f"/follows/{ada.user_id}")
    await ada.api("POST", f"/chats/{chat}/bans", user_id=zoe.user_id)
    ids = {"chat": chat, "room": room, "bob": bob.user_id, "eve": eve.user_id}
    return {**ids, "invite": invite["invite_id"], "message": said["message_id"]}
