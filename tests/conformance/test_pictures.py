"""Pictures of chats and people: what comes in, what comes out, and to whom."""

from __future__ import annotations

import asyncio
import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import func, select
from support.readers import KINDS, Refused, Transport
from support.server import Person, Server

from quartchat.media import shrink
from quartchat.media.terms import MAX_BYTES
from quartchat.store.schema import pictures

EACH_KIND = pytest.mark.parametrize("transport", KINDS, ids=lambda one: one.name)
RED, BLUE = (255, 0, 0), (0, 0, 255)


def picture(
    kind: str = "PNG", size: tuple[int, int] = (40, 30), color: Any = RED, **how: Any
) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, kind, **how)
    return out.getvalue()


def half_and_half(**how: Any) -> bytes:
    """A JPEG, red on the left and blue on the right."""
    image = Image.new("RGB", (600, 300), RED)
    image.paste(BLUE, (300, 0, 600, 300))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=95, **how)
    return out.getvalue()


def declared(width: int, height: int) -> bytes:
    """A PNG of which the header alone says how large it is."""

    def chunk(name: bytes, data: bytes) -> bytes:
        sum_ = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + sum_

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(100_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


async def send(who: Person, path: str, data: bytes, mime: str = "image/png") -> Any:
    response = await who.request("POST", path, content=data, headers={"Content-Type": mime})
    if response.status_code >= 400:
        raise Refused(response.status_code, response.content)
    return response.json()


async def send_form(who: Person, path: str, data: bytes, name: str = "picture") -> Any:
    response = await who.request("POST", path, files={name: ("a.png", data)})
    if response.status_code >= 400:
        raise Refused(response.status_code, response.content)
    return response.json()


async def refused(call: Any) -> tuple[int, str | None, str | None]:
    with pytest.raises(Refused) as caught:
        await call
    return caught.value.status, caught.value.code, caught.value.problem.get("field")


async def shown(who: Person, url: str) -> Image.Image:
    response = await who.request("GET", url)
    assert response.status_code == 200
    return Image.open(io.BytesIO(response.content))


def near(pixel: Any, color: tuple[int, int, int]) -> bool:
    return all(abs(one - other) < 40 for one, other in zip(pixel, color, strict=False))


async def count(server: Server) -> int:
    query = select(func.count()).select_from(pictures)
    return int((await server.services.database.read(lambda c: c.execute(query))).scalar_one())


def mine() -> str:
    return "/api/me/picture"


def of(chat: str) -> str:
    return f"/api/chats/{chat}/picture"


# What comes in, and what comes out.


@EACH_KIND
async def test_a_chats_picture_is_told_to_its_members_and_shown_in_their_lists(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben)
    reader = await ben.live(transport)
    ack = await send(ada, of(chat), picture())
    told = await reader.one("chat_updated")
    assert told["id"] == ack["event_id"]
    assert told["data"] == {
        "chat_id": chat,
        "user_id": ada.user_id,
        "picture": ack["picture"],
        "timestamp": told["data"]["timestamp"],
    }
    assert (await ben.api("GET", "/chats"))["chats"][0]["picture"] == ack["picture"]
    taken = await ada.api("DELETE", f"/chats/{chat}/picture")
    gone = await reader.one("chat_updated")
    assert (gone["id"], gone["data"]["picture"]) == (taken["event_id"], None)
    assert (await ada.api("DELETE", f"/chats/{chat}/picture"))["event_id"] is None


@EACH_KIND
async def test_ones_own_picture_is_told_to_ones_devices_and_shown_to_others(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    direct = await ben.direct(ada)
    reader = await ada.live(transport)
    ack = await send_form(ada, mine(), picture())
    told = await reader.one("user_updated")
    assert told["data"] == {
        "user_id": ada.user_id,
        "name": ada.name,
        "picture": ack["picture"],
    }
    seen = await ben.api("GET", "/chats")
    assert seen["chats"][0]["picture"] == ack["picture"]
    members = (await ben.api("GET", f"/chats/{direct}/members"))["members"]
    assert ack["picture"] in [one["picture"] for one in members]
    await ada.api("DELETE", "/me/picture")
    assert (await reader.one("user_updated"))["data"]["picture"] is None


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
async def test_a_picture_comes_out_square_small_and_as_webp(server: Server, kind: str) -> None:
    ada = await server.user()
    for size, side in (((700, 400), 256), ((40, 30), 30), ((3000, 1), 1)):
        url = (await send(ada, mine(), picture(kind, size)))["picture"]
        image = await shown(ada, url)
        assert (image.format, image.size) == ("WEBP", (side, side))
        assert near(image.convert("RGB").getpixel((0, 0)), RED)


async def test_it_is_turned_upright_and_nothing_else_that_the_file_says_is_kept(
    server: Server,
) -> None:
    ada = await server.user()
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise: the left side is on top
    exif[0x010F] = "a camera of Ada's"
    data = half_and_half(exif=exif, icc_profile=b"a profile", comment=b"a comment")
    image = await shown(ada, (await send(ada, mine(), data))["picture"])
    upright = image.convert("RGB")
    assert near(upright.getpixel((128, 20)), RED)
    assert near(upright.getpixel((128, 236)), BLUE)
    assert not image.getexif()
    assert not {"exif", "icc_profile", "xmp"} & image.info.keys()


async def test_of_an_animation_the_first_frame_is_taken(server: Server) -> None:
    ada = await server.user()
    frames = [Image.new("RGB", (50, 50), color) for color in (BLUE, RED)]
    for kind in ("GIF", "WEBP", "PNG"):
        out = io.BytesIO()
        frames[0].save(out, kind, save_all=True, append_images=frames[1:])
        image = await shown(ada, (await send(ada, mine(), out.getvalue()))["picture"])
        assert getattr(image, "n_frames", 1) == 1
        assert near(image.convert("RGB").getpixel((25, 25)), BLUE)


async def test_what_is_see_through_stays_so(server: Server) -> None:
    ada = await server.user()
    out = io.BytesIO()
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(out, "PNG")
    image = await shown(ada, (await send(ada, mine(), out.getvalue()))["picture"])
    assert image.convert("RGBA").getpixel((5, 5))[3] == 0


# What is refused.


def hostile() -> dict[str, tuple[bytes, str]]:
    whole = picture(size=(300, 300), color=BLUE)
    photo = half_and_half()
    return {
        "cut short": (whole[: len(whole) // 2], "can be read"),
        "a cut photo": (photo[: len(photo) // 2], "can be read"),
        "a header alone": (whole[:40], "can be read"),
        "a bomb": (declared(30_000, 30_000), "too many pixels"),
        "less than it declares": (declared(5000, 5000), "can be read"),
        "too wide": (declared(2**31 - 1, 1), "too many pixels"),
        "no size": (declared(0, 0), "can be read"),
        "text": (b"hello", "can be read"),
        "a page": (b"<!doctype html><script>alert(1)</script>", "can be read"),
        "a drawing with a script": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "can be read"),
        "another kind of picture": (picture("TIFF"), "can be read"),
        "a document": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "can be read"),
        "nothing": (b"", "empty"),
    }


@pytest.mark.parametrize("name", hostile())
async def test_what_is_no_good_picture_is_refused_at_its_field_and_leaves_nothing(
    server: Server, name: str
) -> None:
    ada = await server.user()
    data, why = hostile()[name]
    for way in (send, send_form):
        with pytest.raises(Refused) as caught:
            await way(ada, mine(), data)
        problem = caught.value.problem
        assert (caught.value.status, problem["code"]) == (422, "invalid")
        assert problem["field"] == "picture"
        assert why in problem["detail"]
    assert await count(server) == 0


async def test_a_picture_that_is_also_a_page_comes_out_as_a_picture_alone(server: Server) -> None:
    ada = await server.user()
    script = b"<script>alert(document.domain)</script>"
    data = picture("GIF", comment=script) + script
    url = (await send(ada, mine(), data, "image/gif"))["picture"]
    response = await ada.request("GET", url)
    assert b"script" not in response.content
    assert response.headers["Content-Type"] == "image/webp"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response.headers["Cache-Control"] == "private, max-age=31536000, immutable"


async def test_a_picture_goes_by_its_content_and_not_by_what_it_is_called(server: Server) -> None:
    ada = await server.user()
    assert (await send(ada, mine(), picture("PNG"), "image/svg+xml"))["picture"]
    assert await refused(send(ada, mine(), picture(), "text/html")) == (
        415,
        "unsupported_media_type",
        None,
    )
    assert await refused(send_form(ada, mine(), picture(), "other")) == (422, "invalid", "picture")


async def test_a_file_that_is_too_large_is_refused_and_one_just_small_enough_is_read(
    server: Server,
) -> None:
    ada = await server.user()
    fits = picture() + bytes(MAX_BYTES - len(picture()))
    for way in (send, send_form):
        assert (await way(ada, mine(), fits))["picture"]
        for more in (1, 2**20):
            too_much = way(ada, mine(), fits + bytes(more))
            assert await refused(too_much) == (413, "too_large", "picture")


async def test_other_addresses_take_no_larger_bodies_than_before(server: Server) -> None:
    ada = await server.user()
    chat = await ada.group()
    big = {"content": "x" * 200_000}
    for more in ({"json": big}, {"files": {"content": ("a", b"x" * 200_000)}}):
        answer = await ada.request("POST", f"/api/chats/{chat}/messages", **more)
        assert answer.status_code == 413


async def test_many_at_once_are_worked_on_a_few_at_a_time(server: Server) -> None:
    people = await server.users(8)
    data = [picture("JPEG", (900, 900), (20 * n, 0, 0)) for n in range(8)]
    sent = await asyncio.gather(
        *(send(one, mine(), each) for one, each in zip(people, data, strict=True))
    )
    assert len({one["picture"] for one in sent}) == 8


async def test_what_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    from quartchat.errors import Invalid

    monkeypatch.setattr(shrink, "SECONDS", 0)
    with pytest.raises(Invalid) as caught:
        await shrink.square(picture())
    assert caught.value.field == "picture"


# Who may.


async def test_a_chats_picture_is_changed_by_owners_and_admins_of_groups(server: Server) -> None:
    ada, ben, eve = await server.users(3)
    chat, direct = await ada.group(ben), await ada.direct(ben)
    assert await refused(send(ben, of(chat), picture())) == (403, "forbidden", None)
    assert await refused(send(eve, of(chat), picture())) == (403, "not_a_member", None)
    assert await refused(send(ada, of("none"), picture())) == (404, "chat_not_found", None)
    assert await refused(send(ada, of(direct), picture())) == (409, "conflict", None)
    gone = ben.api("DELETE", f"/chats/{chat}/picture")
    assert await refused(gone) == (403, "forbidden", None)
    anybody = await server.client.post(f"{server.url}{of(chat)}", content=picture())
    assert anybody.status_code == 401
    assert await count(server) == 0


async def test_a_private_chats_picture_is_for_members_and_at_once_no_more_for_who_is_out(
    server: Server,
) -> None:
    ada, ben, eve = await server.users(3)
    chat = await ada.group(ben)
    url = (await send(ada, of(chat), picture()))["picture"]
    assert (await ben.request("GET", url)).status_code == 200
    assert (await eve.request("GET", url)).status_code == 404
    await ada.remove(chat, ben)
    assert (await ben.request("GET", url)).status_code == 404
    await ada.api("PATCH", f"/chats/{chat}", public=True)
    assert (await eve.request("GET", url)).status_code == 200
    anybody = await server.client.get(f"{server.url}{url}")
    assert anybody.status_code != 200


@pytest.mark.parametrize("digest", ["0" * 32, "x", "..%2fsecret.key", "%00"])
async def test_a_picture_that_is_not_there_is_not_found(server: Server, digest: str) -> None:
    ada = await server.user()
    assert (await ada.request("GET", f"/pictures/{digest}")).status_code == 404


# What is kept.


async def test_a_picture_is_kept_once_and_as_long_as_something_shows_it(server: Server) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group()
    urls = [
        (await send(who, path, picture()))["picture"]
        for who, path in ((ada, mine()), (ben, mine()), (ada, of(chat)))
    ]
    assert len(set(urls)) == 1
    assert await count(server) == 1
    await send(ada, mine(), picture(color=BLUE))
    assert await count(server) == 2
    await ben.api("DELETE", "/me/picture")
    assert (await ada.request("GET", urls[0])).status_code == 200
    await ada.api("DELETE", f"/chats/{chat}/picture")
    assert await count(server) == 1
    assert (await ada.request("GET", urls[0])).status_code == 404


async def test_the_picture_of_an_account_that_was_removed_is_gone(server: Server) -> None:
    ada, ben = await server.users(2)
    url = (await send(ada, mine(), picture()))["picture"]
    await server.services.accounts.remove(ada.user_id, by=None)
    assert (await ben.request("GET", url)).status_code == 404
    assert await count(server) == 0


async def test_the_same_picture_again_is_no_event(server: Server) -> None:
    ada = await server.user()
    chat = await ada.group()
    first = await send(ada, of(chat), picture())
    again = await send(ada, of(chat), picture())
    assert (again["picture"], again["event_id"]) == (first["picture"], None)


async def test_of_two_pictures_at_once_one_stays_and_one_is_kept(server: Server) -> None:
    ada = await server.user()
    chat = await ada.group()
    both = (send(ada, of(chat), picture(color=color)) for color in (RED, BLUE))
    acks = await asyncio.gather(*both)
    assert len({ack["event_id"] for ack in acks}) == 2
    last = max(acks, key=lambda ack: ack["event_id"])
    assert (await ada.api("GET", "/chats"))["chats"][0]["picture"] == last["picture"]
    assert await count(server) == 1
