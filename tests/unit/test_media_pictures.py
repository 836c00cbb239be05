"""Pictures that people send: what others get of them, and what is refused."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageCms, ImageStat, features
from support import media
from support.media import BLUE, GREEN, RED, SCRIPT, SECRET, WHITE

from quartchat.errors import Damaged, TooManyPixels
from quartchat.media.examine import examine
from quartchat.media.findings import Findings
from quartchat.media.terms import FEWER_PIXELS

Seen = tuple[Findings, Image.Image]
KINDS = ["JPEG", "PNG", "GIF", "WEBP"]


@pytest.fixture
def see(tmp_path: Path) -> Callable[[bytes], Any]:
    """Examines the bytes: (findings, the clean picture)."""

    async def see(data: bytes) -> Seen:
        path, out = tmp_path / "in", tmp_path / "out"
        path.write_bytes(data)
        found = await examine(path, out)
        assert sorted(found.files()) == sorted(each.name for each in out.iterdir())
        assert found.clean is not None
        image = opened(out / found.clean)
        assert (found.width, found.height) == image.size
        return found, image

    return see


def opened(path: Path) -> Image.Image:
    image = Image.open(io.BytesIO(path.read_bytes()))
    image.load()
    return image


def near(pixel: Any, color: tuple[int, int, int]) -> bool:
    return all(abs(one - other) < 30 for one, other in zip(pixel, color, strict=False))


def is_upright(image: Image.Image) -> bool:
    seen = image.convert("RGB")
    (w, h), wanted = seen.size, (RED, GREEN, BLUE, WHITE)
    places = (
        (w // 4, h // 4),
        (3 * w // 4, h // 4),
        (w // 4, 3 * h // 4),
        (3 * w // 4, 3 * h // 4),
    )
    return all(near(seen.getpixel(at), color) for at, color in zip(places, wanted, strict=True))


def difference(one: Image.Image, other: Image.Image) -> float:
    """In the mean, of 255."""
    apart = ImageChops.difference(one.convert("RGB"), other.convert("RGB"))
    return max(ImageStat.Stat(apart).mean)


# What others get.


async def test_a_photo_loses_its_place_camera_and_comments_but_nothing_to_be_seen(
    see: Callable[[bytes], Any], tmp_path: Path
) -> None:
    data = media.photo(size=(1600, 1200))
    found, image = await see(data)
    assert (found.kind, found.mime_type, found.animated) == ("image", "image/jpeg", False)
    assert not image.getexif()
    assert not {"exif", "xmp", "comment"} & image.info.keys()
    clean = (tmp_path / "out" / found.clean).read_bytes()
    assert SECRET not in clean
    assert difference(image, Image.open(io.BytesIO(data))) < 1
    assert len(clean) <= len(data)


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_a_photo_is_turned_upright(
    see: Callable[[bytes], Any], tmp_path: Path, orientation: int
) -> None:
    found, image = await see(media.photo(orientation, size=(1400, 800)))
    assert (found.width, found.height) == (1400, 800)
    assert is_upright(image)
    for name, side in ((found.small, 320), (found.large, 1280)):
        small = opened(tmp_path / "out" / name)
        assert (small.format, max(small.size)) == ("WEBP", side)
        assert is_upright(small)
        assert not small.getexif()


async def test_an_orientation_of_a_png_or_webp_counts_too(see: Callable[[bytes], Any]) -> None:
    turned = media.quarters().transpose(Image.Transpose.ROTATE_90)
    for kind in ("PNG", "WEBP"):
        found, image = await see(media.encoded(turned, kind, exif=media.exif(6)))
        assert (found.width, found.height) == (400, 200)
        assert is_upright(image)
        assert not image.getexif()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_page_inside_a_picture_is_gone(
    see: Callable[[bytes], Any], tmp_path: Path, kind: str
) -> None:
    found, image = await see(media.encoded(media.quarters(), kind, comment=SCRIPT) + SCRIPT)
    assert (found.mime_type, image.format) == (f"image/{kind.lower()}", kind)
    assert b"script" not in (tmp_path / "out" / found.clean).read_bytes()


async def test_a_placeholder_is_a_tiny_picture(see: Callable[[bytes], Any]) -> None:
    for data in (media.photo(), media.encoded(Image.effect_noise((500, 500), 99), "PNG")):
        found, _ = await see(data)
        assert found.blur is not None
        assert len(found.blur) < 400
        tiny = Image.open(io.BytesIO(base64.b64decode(found.blur)))
        assert (tiny.format, max(tiny.size)) == ("WEBP", 16)


async def test_only_what_is_large_gets_a_large_version(see: Callable[[bytes], Any]) -> None:
    assert (await see(media.photo()))[0].large is None
    noise = Image.effect_noise((900, 900), 99)
    assert (await see(media.encoded(noise, "PNG")))[0].large == "large.webp"


@pytest.mark.parametrize(
    "size",
    [(1, 1), (20_000, 10), (10, 20_000), (321, 320)],
    ids=lambda size: f"{size[0]}x{size[1]}",
)
async def test_a_picture_of_any_shape_is_taken_and_never_scaled_up(
    see: Callable[[bytes], Any], tmp_path: Path, size: tuple[int, int]
) -> None:
    found, image = await see(media.encoded(Image.new("RGB", size, RED), "PNG"))
    assert (found.width, found.height) == size
    small = opened(tmp_path / "out" / found.small)
    assert max(small.size) == min(320, max(size))
    assert near(image.getpixel((0, 0)), RED)


# Colours.


async def test_a_simple_colour_profile_is_kept_without_its_texts(
    see: Callable[[bytes], Any],
) -> None:
    profile = media.srgb_profile()
    for kind in ("JPEG", "PNG", "WEBP"):
        _, image = await see(media.encoded(media.quarters(), kind, icc_profile=profile))
        kept = image.info["icc_profile"]
        assert b"desc" not in kept
        read = ImageCms.ImageCmsProfile(io.BytesIO(kept)).profile
        assert read.xcolor_space.strip() == "RGB"
        assert is_upright(ImageCms.profileToProfile(image, io.BytesIO(kept), io.BytesIO(profile)))


async def test_another_profile_is_applied(see: Callable[[bytes], Any]) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for profile in (b"no profile", lab, media.srgb_profile()[:300]):
        _, image = await see(media.encoded(media.quarters(), "JPEG", icc_profile=profile))
        assert "icc_profile" not in image.info
        assert is_upright(image)


async def test_colours_of_printers_become_those_of_screens(see: Callable[[bytes], Any]) -> None:
    data = media.encoded(media.quarters().convert("CMYK"), "JPEG", quality=95)
    found, image = await see(data)
    assert (found.mime_type, image.mode) == ("image/jpeg", "RGB")
    assert is_upright(image)


async def test_grey_of_16_bits_stays_so(see: Callable[[bytes], Any], tmp_path: Path) -> None:
    data = media.deep_png()
    found, image = await see(data)
    assert image.mode == "I;16"
    assert image.tobytes() == Image.open(io.BytesIO(data)).tobytes()
    small = opened(tmp_path / "out" / found.small).convert("L")
    assert small.getpixel((59, 0)) > small.getpixel((2, 0)) + 150


async def test_what_is_see_through_stays_so(see: Callable[[bytes], Any], tmp_path: Path) -> None:
    palette = Image.new("P", (40, 30), 1)
    palette.putpalette([9, 9, 9, *RED])
    palette.paste(0, (0, 0, 20, 30))
    alpha = palette.convert("RGBA")
    mask = Image.new("L", (40, 30), 255)
    mask.paste(0, (0, 0, 20, 30))
    alpha.putalpha(mask)
    for kind, source, how in (
        ("PNG", palette, {"transparency": 0}),
        ("GIF", palette, {"transparency": 0}),
        ("PNG", alpha, {}),
        ("WEBP", alpha, {"lossless": True}),
    ):
        found, image = await see(media.encoded(source, kind, **how))
        for each in (image, opened(tmp_path / "out" / found.small)):
            assert each.convert("RGBA").getpixel((3, 3))[3] == 0
            assert near(each.convert("RGBA").getpixel((35, 3)), RED)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "YCbCr"])
@pytest.mark.parametrize("kind", KINDS)
async def test_pictures_of_all_modes_are_read(
    see: Callable[[bytes], Any], kind: str, mode: str
) -> None:
    source = media.quarters(80, 40).convert(mode)
    try:
        data = media.encoded(source, kind)
    except (OSError, ValueError):
        data = media.encoded(source.convert("RGB"), kind)
    _, image = await see(data)
    assert difference(image, Image.open(io.BytesIO(data))) < 5


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
async def test_avif_is_cleaned_and_turned(see: Callable[[bytes], Any], tmp_path: Path) -> None:
    turned = media.quarters().transpose(Image.Transpose.ROTATE_90)
    found, image = await see(media.encoded(turned, "AVIF", exif=media.exif(6)))
    assert (found.mime_type, image.format, image.size) == ("image/avif", "AVIF", (400, 200))
    assert is_upright(image)
    assert SECRET not in (tmp_path / "out" / found.clean).read_bytes()


async def test_noise_that_fills_its_file_is_written_too(see: Callable[[bytes], Any]) -> None:
    channels = [Image.effect_noise((700, 700), 200 + n) for n in range(3)]
    data = media.encoded(Image.merge("RGB", channels), "JPEG", quality=100, subsampling=0)
    _, image = await see(data)
    assert difference(image, Image.open(io.BytesIO(data))) < 3


# Animations.


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
async def test_an_animation_stays_one_frame_by_frame(
    see: Callable[[bytes], Any], tmp_path: Path, kind: str
) -> None:
    data = media.animation(kind, **({} if kind == "PNG" else {"lossless": True}))
    found, image = await see(data)
    assert (found.animated, found.large, image.n_frames) == (True, None, 5)
    assert image.info["loop"] == 0
    before = Image.open(io.BytesIO(data))
    for n in range(5):
        image.seek(n)
        before.seek(n)
        image.load(), before.load()
        assert difference(image, before) == 0
        assert image.info["duration"] == before.info["duration"] == 80
    assert getattr(opened(tmp_path / "out" / found.small), "n_frames", 1) == 1


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
async def test_an_animation_loses_what_it_tells(
    see: Callable[[bytes], Any], tmp_path: Path, kind: str
) -> None:
    how: dict[str, Any] = {"comment": SECRET} if kind == "GIF" else {"exif": media.exif()}
    if kind == "WEBP":
        how |= {"xmp": SECRET, "icc_profile": media.srgb_profile()}
    found, _ = await see(media.animation(kind, **how) + SCRIPT)
    clean = (tmp_path / "out" / found.clean).read_bytes()
    assert found.animated
    assert SECRET not in clean
    assert b"script" not in clean


@pytest.mark.parametrize("frames, size", [(3000, (10, 10)), (50, (3000, 3000))])
async def test_an_animation_without_end_becomes_a_still(
    see: Callable[[bytes], Any], frames: int, size: tuple[int, int]
) -> None:
    found, image = await see(media.gif_bomb(frames, size))
    assert (found.animated, image.size) == (False, size)
    assert getattr(image, "n_frames", 1) == 1


# What is refused.


def bombs() -> dict[str, bytes]:
    return {
        "a png of zeros": media.png_bomb(),
        "a very wide png": media.png_bomb(2**31 - 1, 1, 100),
        "a gif on a huge canvas": media.gif_bomb(3, (65_535, 65_535)),
        "a gif of a huge frame": b"GIF89a\x0a\0\x0a\0\x80\0\0"
        + bytes(6)
        + b",\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x44\x01\0" * 2
        + b";",
    }


@pytest.mark.parametrize("name", bombs())
async def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").write_bytes(bombs()[name])
    with pytest.raises((TooManyPixels, Damaged)):
        await examine(tmp_path / "in", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def broken() -> dict[str, bytes]:
    whole = {kind: media.encoded(Image.effect_noise((300, 300), 99), kind) for kind in KINDS}
    moving = {kind: media.animation(kind, 20) for kind in ("GIF", "PNG", "WEBP")}
    return {
        **{f"half a {kind}": data[: len(data) // 2] for kind, data in whole.items()},
        **{f"half a moving {kind}": data[: len(data) // 2] for kind, data in moving.items()},
        **{f"the start of a {kind}": data[:16] for kind, data in whole.items()},
        "less than it declares": media.png_bomb(5000, 5000, 1000),
        "no size": media.png_bomb(0, 0, 10),
    }


@pytest.mark.parametrize("name", broken())
async def test_a_broken_picture_is_refused_with_what_to_do(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").write_bytes(broken()[name])
    with pytest.raises(Damaged) as caught:
        await examine(tmp_path / "in", tmp_path / "out")
    assert (caught.value.code, caught.value.status) == ("damaged", 422)
    assert "send" in caught.value.message
    assert list((tmp_path / "out").iterdir()) == []


async def test_a_kind_that_takes_much_memory_may_have_fewer_pixels(tmp_path: Path) -> None:
    path, most = tmp_path / "large.webp", FEWER_PIXELS["WEBP"]
    Image.new("RGB", (6100, most // 6000), "red").save(path, "WEBP", lossless=True, method=0)
    with pytest.raises(TooManyPixels):
        await examine(path, tmp_path / "out")
