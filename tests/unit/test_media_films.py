"""Films and sounds that people send."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image
from support import media
from support.media import GREEN, RED, WHITE

from quartchat.media.examine import examine
from quartchat.media.findings import Findings
from quartchat.media.signatures import UNKNOWN

PLACE = "+50.0875+014.4213/"


def told(path: Path) -> set[str]:
    """All names of what a film tells."""
    with av.open(str(path)) as source:
        tags = [source.metadata, *(each.metadata for each in source.streams)]
        return {key for each in tags for key in each}


def poster(out: Path, found: Findings) -> Image.Image:
    assert found.large is not None
    image = Image.open(out / found.large)
    image.load()
    return image.convert("RGB")


def near(pixel: Any, color: tuple[int, int, int]) -> bool:
    return all(abs(one - other) < 50 for one, other in zip(pixel, color, strict=False))


async def test_a_film_has_a_size_a_length_and_a_poster(tmp_path: Path) -> None:
    path, out = media.film(tmp_path / "a.mp4", sound="aac"), tmp_path / "out"
    found = await examine(path, out)
    assert (found.kind, found.mime_type, found.clean) == ("video", "video/mp4", None)
    assert (found.width, found.height) == (320, 160)
    assert found.duration == pytest.approx(2, abs=0.1)
    assert found.blur is not None
    assert near(poster(out, found).getpixel((20, 20)), RED)
    assert near(poster(out, found).getpixel((300, 150)), WHITE)


async def test_a_poster_is_not_black_where_the_film_begins_so(tmp_path: Path) -> None:
    path, out = media.film(tmp_path / "a.mp4", seconds=4, black=1.5), tmp_path / "out"
    assert near(poster(out, await examine(path, out)).getpixel((20, 20)), RED)


@pytest.mark.parametrize("clockwise", [0, 90, 180, 270])
async def test_a_film_is_shown_as_it_was_held_and_stays_so(tmp_path: Path, clockwise: int) -> None:
    path = media.film(tmp_path / "a.mp4", metadata={"title": "mine"})
    media.turn_film(path, clockwise)
    found = await examine(path, tmp_path / "out")
    assert found.clean is not None
    again = await examine(tmp_path / "out" / found.clean, tmp_path / "again")
    for each, out in ((found, tmp_path / "out"), (again, tmp_path / "again")):
        size = (160, 320) if clockwise in (90, 270) else (320, 160)
        assert (each.width, each.height) == size == poster(out, each).size
        image, (w, h) = poster(out, each), size
        corners = {0: (5, 5), 90: (w - 6, 5), 180: (w - 6, h - 6), 270: (5, h - 6)}
        assert near(image.getpixel(corners[clockwise]), RED)
    assert again.clean is None


@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
async def test_a_film_loses_its_place_and_its_camera_but_no_picture(
    tmp_path: Path, name: str
) -> None:
    metadata = {"location": PLACE, "make": "Ada's", "creation_time": "2024-01-01T00:00:00Z"}
    path = media.film(tmp_path / name, sound="aac", metadata=metadata)
    assert "location" in told(path)
    found = await examine(path, tmp_path / "out")
    assert (found.mime_type, found.clean) == ("video/mp4", "clean.mp4")
    clean = tmp_path / "out" / "clean.mp4"
    assert not told(clean) & {"location", "location-eng", "make", "creation_time"}
    data = clean.read_bytes()
    assert b"+50.08" not in data
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(path)) as before, av.open(str(clean)) as after:
        packets = [
            [bytes(packet) for packet in each.demux(video=0) if packet.dts is not None]
            for each in (before, after)
        ]
        assert packets[0] == packets[1]
        assert [each.type for each in after.streams] == ["video", "audio"]


async def test_notes_beside_a_film_are_left_out(tmp_path: Path) -> None:
    path = media.film(tmp_path / "a.mp4")
    note = media.SECRET.rjust(40)
    path.write_bytes(path.read_bytes() + (len(note) + 8).to_bytes(4, "big") + b"uuid" + note)
    found = await examine(path, tmp_path / "out")
    assert found.clean is not None
    assert media.SECRET not in (tmp_path / "out" / found.clean).read_bytes()


async def test_a_film_of_foreign_make_is_copied_into_an_mp4(tmp_path: Path) -> None:
    found = await examine(media.film(tmp_path / "a.mov"), tmp_path / "out")
    assert (found.mime_type, found.clean) == ("video/mp4", "clean.mp4")


async def test_one_that_does_not_fit_stays_as_it_came(tmp_path: Path) -> None:
    path = media.film(tmp_path / "a.mov", codec="rawvideo", seconds=0.5)
    found = await examine(path, tmp_path / "out")
    assert (found.kind, found.mime_type, found.clean) == ("video", "video/quicktime", None)


async def test_a_webm_and_an_ogg_are_films(tmp_path: Path) -> None:
    for name, codec, mime_type in (
        ("a.webm", "libvpx-vp9", "video/webm"),
        ("a.webm", "libvpx", "video/webm"),
        ("a.ogv", "libtheora", "video/ogg"),
    ):
        try:
            path = media.film(tmp_path / name, codec)
        except av.codec.codec.UnknownCodecError:
            continue
        found = await examine(path, tmp_path / "out")
        assert (found.kind, found.mime_type) == ("video", mime_type)
        assert found.duration == pytest.approx(2, abs=0.1)
        assert near(poster(tmp_path / "out", found).getpixel((200, 20)), GREEN)


async def test_a_recording_of_a_browser_that_tells_no_length_has_one(tmp_path: Path) -> None:
    path = media.film(tmp_path / "a.webm", "libvpx", live="1")
    with av.open(str(path)) as source:
        assert not source.duration
    found = await examine(path, tmp_path / "out")
    assert found.duration == pytest.approx(2, abs=0.1)


async def test_a_film_without_pictures_is_a_sound(tmp_path: Path) -> None:
    for name, codec, mime_type in (
        ("a.mp3", "libmp3lame", "audio/mpeg"),
        ("a.m4a", "aac", "audio/mp4"),
        ("a.mp4", "aac", "audio/mp4"),
        ("a.ogg", "libopus", "audio/ogg"),
        ("a.webm", "libopus", "audio/webm"),
        ("a.wav", "pcm_s16le", "audio/wav"),
        ("a.flac", "flac", "audio/flac"),
    ):
        found = await examine(media.recording(tmp_path / name, codec), tmp_path / "out")
        assert (found.kind, found.mime_type, found.clean) == ("audio", mime_type, None), name
        assert found.duration == pytest.approx(2, abs=0.1), name
        assert (found.width, found.small) == (None, None)


async def test_a_sound_keeps_its_title_but_not_a_place(tmp_path: Path) -> None:
    titled = media.recording(tmp_path / "a.mp3", "libmp3lame", title="Song", artist="Ada")
    assert (await examine(titled, tmp_path / "out")).clean is None
    placed = media.recording(tmp_path / "a.m4a", "aac", title="Song", location=PLACE)
    assert any("location" in key for key in told(placed))
    found = await examine(placed, tmp_path / "out")
    assert found.clean == "clean.mp4"
    assert not any("location" in key for key in told(tmp_path / "out" / found.clean))


async def test_a_broken_film_is_a_file(tmp_path: Path) -> None:
    whole = media.film(tmp_path / "a.mp4").read_bytes()
    for data in (whole[: len(whole) // 2], whole[:30], b"OggS\0" + bytes(500), b"RIFF\0\0\0\0WAVE"):
        (tmp_path / "in").write_bytes(data)
        found = await examine(tmp_path / "in", tmp_path / "out")
        assert found == Findings(kind="file", mime_type=UNKNOWN)


async def test_a_film_whose_pictures_are_broken_still_has_a_length(tmp_path: Path) -> None:
    data = media.film(tmp_path / "a.mp4", "libx264", movflags="faststart").read_bytes()
    start = data.index(b"mdat") + 4
    (tmp_path / "in").write_bytes(data[:start] + b"\xff" * (len(data) - start))
    found = await examine(tmp_path / "in", tmp_path / "out")
    assert (found.kind, found.width, found.small) == ("video", 320, None)
    assert found.duration == pytest.approx(2, abs=0.1)


async def test_a_list_of_other_addresses_is_no_film(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n")
    found = await examine(tmp_path / "in", tmp_path / "out")
    assert found == Findings(kind="file", mime_type="text/plain")


def test_without_pyav_films_go_by_their_beginning(tmp_path: Path) -> None:
    films = [media.film(tmp_path / "a.mp4"), media.film(tmp_path / "a.webm", "libvpx")]
    sounds = [
        media.recording(tmp_path / name, codec)
        for name, codec in (("a.m4a", "aac"), ("a.mp3", "libmp3lame"), ("a.ogg", "libopus"))
    ]
    program = (
        "import sys; sys.modules['av'] = None\n"
        "from pathlib import Path; from quartchat.media.look import look\n"
        "for name in sys.argv[1:]:\n"
        "    found = look(Path(name), Path('/nonexistent')); print(found.kind, found.mime_type)"
    )
    names = [str(path) for path in films + sounds]
    done = subprocess.run([sys.executable, "-c", program, *names], capture_output=True, check=True)
    assert done.stdout.decode().splitlines() == [
        "video video/mp4",
        "video video/webm",
        "audio audio/mp4",
        "audio audio/mpeg",
        "audio audio/ogg",
    ]
