"""The tus protocol, spoken by clients of other makers and by hand."""

from __future__ import annotations

import asyncio
import io
import json
import os
import random
import shutil
from base64 import b64encode
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.server import Person, Server
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed

from files.conftest import Start
from files.sending import begin, checked, download, leaving_nothing, offset_of, refusal, traces
from files.wire import asking

NODE = Path(__file__).parent.parent / "node"
BYTES = random.Random(7).randbytes(2 * 2**20 + 5)
VERSION = {"Tus-Resumable": "1.0.0"}
OCTETS = {**VERSION, "Content-Type": "application/offset+octet-stream"}


def metadata(**fields: str) -> str:
    return ",".join(f"{name} {b64encode(text.encode()).decode()}" for name, text in fields.items())


async def create(who: Person, chat_id: str, size: Any, **headers: Any) -> httpx.Response:
    content = headers.pop("content", None)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    headers = {**VERSION, "Upload-Length": str(size), **headers}
    path = f"/api/chats/{chat_id}/uploads"
    return await who.request("POST", path, headers=headers, content=content)


async def patch(who: Person, url: str, offset: Any, data: bytes, **headers: Any) -> httpx.Response:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    headers = {**OCTETS, "Upload-Offset": str(offset), **headers}
    return await who.request("PATCH", url, headers=headers, content=data)


async def created(who: Person, size: int, **headers: Any) -> str:
    """The upload's address."""
    return str((await create(who, await who.group(), size, **headers)).headers["Location"])


async def attachment_at(who: Person, url: str) -> Any:
    return checked(await who.request("GET", url))["attachment"]


def tuspy(who: Person, chat_id: str) -> TusClient:
    headers = {"Authorization": f"Bearer {who.token}"}
    return TusClient(f"{who.server.url}/api/chats/{chat_id}/uploads", headers=headers)


async def test_tuspy_sends_a_file_in_chunks(server: Server) -> None:
    (ada,) = await server.users(1)
    client = tuspy(ada, await ada.group())
    uploader = client.uploader(
        file_stream=io.BytesIO(BYTES), chunk_size=700_000, metadata={"filename": "заметки.bin"}
    )
    await asyncio.to_thread(uploader.upload)
    made = await attachment_at(ada, uploader.url.removeprefix(server.url))
    assert made["name"] == "заметки.bin"
    assert (await download(ada, made["url"])).content == BYTES


async def test_tuspy_goes_on_where_another_run_stopped(server: Server) -> None:
    (ada,) = await server.users(1)
    client = tuspy(ada, await ada.group())
    first = client.uploader(file_stream=io.BytesIO(BYTES), chunk_size=300_000)
    await asyncio.to_thread(first.upload, 900_000)

    def again() -> Any:
        made = client.uploader(file_stream=io.BytesIO(BYTES), chunk_size=300_000, url=first.url)
        made.upload()
        return made

    second = await asyncio.to_thread(again)
    assert second.offset == len(BYTES)
    made = await attachment_at(ada, first.url.removeprefix(server.url))
    assert (await download(ada, made["url"])).content == BYTES


async def test_tuspy_hears_of_refusals(server: Server) -> None:
    ada, eve = await server.users(2)
    chat_id = await ada.group()
    too_large = tuspy(ada, chat_id).uploader(file_stream=io.BytesIO(bytes(26 * 2**20)))
    with pytest.raises(TusCommunicationError) as refused:
        await asyncio.to_thread(too_large.upload)
    assert refused.value.status_code == 413
    with pytest.raises(TusCommunicationError) as refused:
        await asyncio.to_thread(tuspy(eve, chat_id).uploader(file_stream=io.BytesIO(b"x")).upload)
    assert refused.value.status_code == 403
    broken = tuspy(ada, chat_id).uploader(file_stream=io.BytesIO(b"\x89PNG\r\n\x1a\nbroken"))
    with pytest.raises(TusUploadFailed) as failed:
        await asyncio.to_thread(broken.upload)
    assert failed.value.status_code == 422


@pytest.mark.parametrize(
    ("options", "stop"),
    [
        ({"chunkSize": 500_000}, None),
        ({"chunkSize": 500_000, "uploadDataDuringCreation": True}, None),
        ({"chunkSize": 500_000, "overridePatchMethod": True}, None),
        ({"chunkSize": 300_000}, 1_000_000),
    ],
    ids=["chunks", "creation with upload", "override", "cut"],
)
async def test_tus_js_client_sends_a_file(
    server: Server, tmp_path: Path, options: dict[str, Any], stop: int | None
) -> None:
    if not shutil.which("node"):
        pytest.skip("apt-get install nodejs npm")
    if not (NODE / "node_modules" / "tus-js-client").is_dir():
        pytest.skip("npm install --prefix tests/node")
    (ada,) = await server.users(1)
    file = tmp_path / "noise.bin"
    file.write_bytes(BYTES)
    env = {"ADDRESS": f"{server.url}/api/chats/{await ada.group()}/uploads", "TOKEN": ada.token}
    env |= {"FILE": str(file), "OPTIONS": json.dumps(options), "STOP": str(stop or "")}
    node = await asyncio.create_subprocess_exec(
        *("node", str(NODE / "tus.mjs")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **env},
    )
    out, errors = await node.communicate()
    assert (node.returncode, errors) == (0, b"")
    made = await attachment_at(ada, out.decode().strip().removeprefix(server.url))
    assert (await download(ada, made["url"])).content == BYTES


async def test_options_tell_what_is_spoken_to_anybody(server: Server) -> None:
    (ada,) = await server.users(1)
    for path in (f"/api/chats/{await ada.group()}/uploads", "/api/uploads/any"):
        response = await server.client.request("OPTIONS", f"{server.url}{path}")
        assert response.status_code == 204
        told = response.headers
        assert (told["Tus-Resumable"], told["Tus-Version"]) == ("1.0.0", "1.0.0")
        extensions = "creation,creation-with-upload,termination,expiration"
        assert told["Tus-Extension"] == extensions
        assert int(told["Tus-Max-Size"]) == server.services.settings.max_upload


async def test_creation_gives_an_address_and_its_end(server: Server) -> None:
    (ada,) = await server.users(1)
    response = await create(ada, await ada.group(), 5, Upload_Metadata=metadata(filename="ä.txt"))
    assert response.status_code == 201
    ends = parsedate_to_datetime(response.headers["Upload-Expires"]).timestamp()
    assert 2 * 86400 < ends - server.clock() < 4 * 86400
    head = await ada.request("HEAD", response.headers["Location"], headers=VERSION)
    assert head.status_code == 200
    told = [head.headers[f"Upload-{name}"] for name in ("Offset", "Length", "Metadata")]
    assert told == ["0", "5", metadata(filename="ä.txt")]
    assert head.headers["Cache-Control"] == "no-store"
    assert head.headers["Tus-Resumable"] == "1.0.0"


async def test_patches_tell_the_offset(server: Server) -> None:
    (ada,) = await server.users(1)
    url = await created(ada, 5)
    for offset, data in ((0, b"He"), (2, b""), (2, b"llo")):
        response = await patch(ada, url, offset, data)
        assert (response.status_code, response.content) == (204, b"")
        assert response.headers["Upload-Offset"] == str(offset + len(data))
        assert response.headers["Tus-Resumable"] == "1.0.0"
    assert (await attachment_at(ada, url))["size"] == 5


async def test_post_may_stand_for_patch_and_delete(server: Server) -> None:
    (ada,) = await server.users(1)
    url = await created(ada, 5)
    override = {**OCTETS, "X-HTTP-Method-Override": "PATCH", "Upload-Offset": "0"}
    response = await ada.request("POST", url, headers=override, content=b"He")
    assert (response.status_code, response.headers["Upload-Offset"]) == (204, "2")
    override = {**VERSION, "X-HTTP-Method-Override": "DELETE"}
    assert (await ada.request("POST", url, headers=override)).status_code == 204
    assert (await ada.request("HEAD", url, headers=VERSION)).status_code == 404


async def test_another_version_is_refused_and_nothing_done(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id, other = await ada.group(), {"Tus-Resumable": "0.2.2"}
    url = await created(ada, 5)
    async with leaving_nothing(server):
        answers = [
            await create(ada, chat_id, 5, **other),
            await patch(ada, url, 0, b"He", **other),
            await ada.request("HEAD", url, headers=other),
            await ada.request("DELETE", url, headers=other),
        ]
    assert {answer.status_code for answer in answers} == {412}
    assert {answer.headers["Tus-Version"] for answer in answers} == {"1.0.0"}
    assert (await ada.request("PATCH", url, content=b"He")).status_code == 412


async def test_a_patch_at_another_offset_or_of_another_type_is_refused(server: Server) -> None:
    (ada,) = await server.users(1)
    url = await created(ada, 5)
    assert (await patch(ada, url, 1, b"ello")).status_code == 409
    assert (await patch(ada, url, 0, b"He", Content_Type="text/plain")).status_code == 415
    for wrong in ("", "-1", "one"):
        assert (await patch(ada, url, wrong, b"He")).status_code == 422
    assert await offset_of(ada, {"url": url}) == 0


@pytest.mark.parametrize("length", ["", "-5", "0", "many", "9" * 20])
async def test_a_length_that_is_none_is_refused(server: Server, length: str) -> None:
    (ada,) = await server.users(1)
    assert (await create(ada, await ada.group(), length)).status_code == 422


@pytest.mark.parametrize("raw", ["filename !", "filename /w==", "filename é"])
async def test_metadata_that_cannot_be_read_are_refused(server: Server, raw: str) -> None:
    (ada,) = await server.users(1)
    response = await create(ada, await ada.group(), 5, Upload_Metadata=raw.encode())
    assert response.json()["field"] == "Upload-Metadata"


async def test_a_file_can_come_with_its_creation(server: Server) -> None:
    (ada,) = await server.users(1)
    more = {"Upload_Metadata": metadata(filename="a.txt"), "Content_Type": OCTETS["Content-Type"]}
    response = await create(ada, await ada.group(), 5, content=b"Hello", **more)
    assert (response.status_code, response.headers["Upload-Offset"]) == (201, "5")
    assert (await attachment_at(ada, response.headers["Location"]))["name"] == "a.txt"


async def test_a_creation_that_is_made_again_tells_what_is_there(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    more = {"Upload_Metadata": metadata(client_id="one"), "Content_Type": OCTETS["Content-Type"]}
    first = await create(ada, chat_id, 5, content=b"Hel", **more)
    again = await create(ada, chat_id, 5, content=b"Hel", **more)
    assert first.headers["Location"] == again.headers["Location"]
    assert again.headers["Upload-Offset"] == "3"
    await patch(ada, again.headers["Location"], 3, b"lo")
    made = await attachment_at(ada, again.headers["Location"])
    assert (await download(ada, made["url"])).content == b"Hello"


async def test_a_cut_creation_that_nobody_can_go_on_with_leaves_nothing(server: Server) -> None:
    (ada,) = await server.users(1)
    path = f"/api/chats/{await ada.group()}/uploads"
    before = await traces(server)
    heads = {**OCTETS, "Upload-Length": len(BYTES), "Content-Length": len(BYTES)}
    async with asking(ada, "POST", path, **heads) as wire:
        await wire.write(BYTES[:1_500_000])
        await until_traces(server, before, same=False)
        wire.cut()
    await until_traces(server, before, same=True)


async def until_traces(server: Server, wanted: Any, *, same: bool) -> None:
    async with asyncio.timeout(5):
        while (await traces(server) == wanted) is not same:
            await asyncio.sleep(0.01)


async def test_an_upload_that_has_expired_is_gone(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    async with leaving_nothing(server):
        upload = await begin(ada, chat_id, 5)
        await patch(ada, upload["url"], 0, b"Hel")
        server.move_clock(2.9 * 86400)
        await server.services.sweeper.sweep()
        ada = await server.log_in_again(ada)
        assert await offset_of(ada, upload) == 3
        server.move_clock(0.2 * 86400)
        await server.services.sweeper.sweep()
        ada = await server.log_in_again(ada)
        assert (await ada.request("HEAD", upload["url"], headers=VERSION)).status_code == 404


async def test_another_origin_that_is_allowed_may_speak_tus(start: Start) -> None:
    server = await start(allowed_origins=("https://app.example",))
    (ada,) = await server.users(1)
    path = f"/api/chats/{await ada.group()}/uploads"
    asks = {"Access-Control-Request-Method": "PATCH", "Origin": "https://app.example"}
    preflight = await server.client.request("OPTIONS", f"{server.url}{path}", headers=asks)
    allowed = preflight.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {"tus-resumable", "upload-length", "upload-metadata", "upload-offset"} <= {*allowed}
    methods = preflight.headers["Access-Control-Allow-Methods"].split(", ")
    assert {"POST", "HEAD", "PATCH", "DELETE"} <= {*methods}
    response = await create(ada, path.split("/")[3], 5, Origin="https://app.example")
    exposed = response.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"Location", "Upload-Offset", "Upload-Length", "Tus-Resumable"} <= {*exposed}
    other = await create(ada, path.split("/")[3], 5, Origin="https://evil.example")
    assert "Access-Control-Allow-Origin" not in other.headers


async def test_no_tus_client_without_a_login_or_a_chat(server: Server) -> None:
    (ada,) = await server.users(1)
    url = f"{server.url}/api/chats/{await ada.group()}/uploads"
    headers = {**VERSION, "Upload-Length": "5"}
    assert (await server.client.post(url, headers=headers)).status_code == 401
    assert (await create(ada, "none", 5)).status_code == 404
    assert (await refusal(begin(ada, "none", 5))).code == "chat_not_found"
