"""The program that examines files: killed, slow, lying or asked too often, it harms nobody."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest
from PIL import Image
from support import media
from support.disks import small_disk

from quartchat.errors import MediaFailed, StorageFull, Unavailable
from quartchat.media import examine as runner
from quartchat.media import run as running
from quartchat.media import turns
from quartchat.media.examine import examine

SAYS = "import sys; sys.stdout.write({!r})"


def children() -> set[int]:
    """The programs that this one runs, by the number of their process."""
    tasks = Path("/proc/self/task").iterdir()
    return {int(pid) for task in tasks for pid in (task / "children").read_text().split()}


def program_of(pid: int) -> bool:
    try:
        return runner.PROGRAM.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def unlimited(pid: int) -> bool:
    limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
    names = ("Max address space", "Max cpu time", "Max file size")
    return any(line.startswith(names) and "unlimited" in line for line in limits)


async def started(count: int = 1) -> set[int]:
    """The programs, once so many run."""
    async with asyncio.timeout(20):
        while len(found := {pid for pid in children() if program_of(pid)}) < count:
            await asyncio.sleep(0)
    return found


def pipe(path: Path) -> Path:
    """A file that is opened for ever: who reads it waits."""
    os.mkfifo(path)
    return path


def pretending(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str) -> None:
    """A program of our own in the place of the one that looks."""
    (tmp_path / "pretender.py").write_text(source)
    monkeypatch.setattr(running, "PATHS", str(tmp_path))
    monkeypatch.setattr(runner, "PROGRAM", "pretender")


async def test_a_program_that_is_killed_is_told_as_such_and_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    task = asyncio.create_task(examine(pipe(tmp_path / "in"), out))
    [pid] = await started()
    (out / "clean.jpg").write_bytes(b"half a picture")
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(MediaFailed) as caught:
        await task
    assert caught.value.code == "media_failed"
    assert list(out.iterdir()) == []


async def test_what_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "FILE_SECONDS", 0.5)
    with pytest.raises(MediaFailed):
        await examine(pipe(tmp_path / "in"), tmp_path / "out")
    assert not any(program_of(pid) for pid in children())


@pytest.mark.parametrize("turns_of_the_loop", [0, 1, 2, 5, 50])
async def test_who_waits_no_longer_ends_the_program(tmp_path: Path, turns_of_the_loop: int) -> None:
    task = asyncio.create_task(examine(pipe(tmp_path / "in"), tmp_path / "out"))
    [pid] = await started()
    for _ in range(turns_of_the_loop):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not program_of(pid)
    assert list((tmp_path / "out").iterdir()) == []


async def test_two_run_at_once_and_the_others_wait_or_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "MOST_WAITING", 1)
    path = pipe(tmp_path / "in")
    tasks = [asyncio.create_task(examine(path, tmp_path / f"out{n}")) for n in range(3)]
    first = await started(2)
    with pytest.raises(Unavailable) as caught:
        await examine(path, tmp_path / "refused")
    assert caught.value.code == "unavailable"
    assert len({pid for pid in children() if program_of(pid)}) == 2
    for pid in first:
        os.kill(pid, signal.SIGKILL)
    done = await asyncio.gather(*tasks[:2], return_exceptions=True)
    assert [type(each) for each in done] == [MediaFailed, MediaFailed]
    for pid in await started(1):
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(MediaFailed):
        await tasks[2]


async def test_nobody_waits_behind_all_files_of_another(tmp_path: Path) -> None:
    many = [pipe(tmp_path / f"ada{n}") for n in range(turns.AT_ONCE + 2)]
    hers = [
        asyncio.create_task(examine(path, tmp_path / f"{path.name}.out", "ada")) for path in many
    ]
    (first,) = await started()
    (notes := tmp_path / "notes.txt").write_text("of Bob")
    assert (await examine(notes, tmp_path / "bob.out", "bob")).mime_type == "text/plain"
    assert await started() == {first}
    for task in hers:
        task.cancel()
    await asyncio.gather(*hers, return_exceptions=True)


async def test_one_person_may_not_have_any_number_of_files_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "MOST_OF_ONE", 1)
    path = pipe(tmp_path / "first")
    waiting = asyncio.create_task(examine(path, tmp_path / "out", "ada"))
    await started()
    with pytest.raises(Unavailable):
        await examine(path, tmp_path / "out2", "ada")
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


@pytest.mark.parametrize("name", ["photo.jpg", "film.mov"])
async def test_a_full_disk_is_told_as_such_and_not_as_a_broken_file(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    if name == "photo.jpg":
        path.write_bytes(media.encoded(Image.effect_noise((600, 600), 200), "JPEG", quality=95))
    else:
        media.film(path, metadata={"location": "+50.0850+014.4230/"}, seconds=4)
    with small_disk(tmp_path / "disk", "8k") as disk:
        with pytest.raises(StorageFull):
            await examine(path, disk / "out")
        assert list((disk / "out").iterdir()) == []


async def test_the_program_is_nice_bounded_and_knows_nothing_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUARTCHAT_SECRET", "hush")
    task = asyncio.create_task(examine(pipe(tmp_path / "in"), tmp_path / "out"))
    [pid] = await started()
    async with asyncio.timeout(20):
        while unlimited(pid):
            await asyncio.sleep(0)
    assert b"hush" not in Path(f"/proc/{pid}/environ").read_bytes()
    assert os.getpriority(os.PRIO_PROCESS, pid) > os.getpriority(os.PRIO_PROCESS, 0)
    assert Path(f"/proc/{pid}/fd/0").readlink() == Path("/dev/null")
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(MediaFailed):
        await task


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "no json",
        "[]",
        json.dumps({"kind": "picture", "mime_type": "image/png"}),
        json.dumps({"kind": "image", "mime_type": "image/png", "clean": "gone.png"}),
        json.dumps({"kind": "image", "mime_type": "image/png", "clean": "../in"}),
        json.dumps({"kind": "image", "mime_type": "image/png", "clean": "/etc/passwd"}),
        json.dumps({"kind": "image", "mime_type": "image/png", "clean": ""}),
        json.dumps({"kind": "image", "mime_type": "image/png", "width": "wide"}),
    ],
)
async def test_an_answer_that_is_not_well_formed_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    (tmp_path / "in").write_bytes(b"x")
    pretending(monkeypatch, tmp_path, SAYS.format(answer))
    with pytest.raises(MediaFailed):
        await examine(tmp_path / "in", tmp_path / "out")


async def test_a_link_is_no_file_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").write_bytes(b"x")
    answer = json.dumps({"kind": "image", "mime_type": "image/png", "clean": "link"})
    link = "import os, sys; os.symlink('/etc/passwd', sys.argv[2] + '/link')\n"
    pretending(monkeypatch, tmp_path, link + SAYS.format(answer))
    with pytest.raises(MediaFailed):
        await examine(tmp_path / "in", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


async def test_a_program_without_memory_refuses_the_picture(tmp_path: Path) -> None:
    program = (
        "import sys; from quartchat.media import look; look.FILE_MEMORY = 300 * 2**20\n"
        "sys.exit(look.main())"
    )
    picture = media.encoded(media.quarters(8000, 8000), "PNG")
    (tmp_path / "in").write_bytes(picture)
    (tmp_path / "out").mkdir()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, str(tmp_path / "in"), str(tmp_path / "out"))
    )
    assert await process.wait() == 4


async def test_the_same_work_gives_the_same_files(tmp_path: Path) -> None:
    """So that a file that was sent twice is kept once."""
    (tmp_path / "in").write_bytes(media.photo(6))
    media.film(tmp_path / "film.mp4", metadata={"title": "mine"})
    for name in ("in", "film.mp4"):
        made = []
        for out in (tmp_path / "a", tmp_path / "b"):
            found = await examine(tmp_path / name, out)
            made.append([(out / each).read_bytes() for each in found.files()])
            for each in found.files():
                (out / each).unlink()
        assert made[0] == made[1]


async def test_a_limit_that_is_there_already_is_kept(tmp_path: Path) -> None:
    (path := tmp_path / "red.png").write_bytes(media.encoded(media.quarters(), "PNG"))
    limited = (
        f"ulimit -v {2**20} -t 20; exec {sys.executable} -m {runner.PROGRAM} {path} {tmp_path}"
    )
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", limited, stdout=asyncio.subprocess.PIPE
    )
    written, _ = await process.communicate()
    assert process.returncode == 0
    assert json.loads(written)["mime_type"] == "image/png"
