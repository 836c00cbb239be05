"""Files as people and their enemies send them, made on the spot."""

from __future__ import annotations

import io
import math
import struct
import zipfile
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from PIL import Image, ImageCms, ImageDraw
from PIL.Image import Image as Picture

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 30), (30, 30, 220), (240, 240, 240)
ORIENTATION, MAKER, PLACE = 0x0112, 0x010F, 0x8825
SECRET = b"a camera of Ada's"
SCRIPT = b"<html><script>alert(document.domain)</script></html>"


def quarters(width: int = 400, height: int = 200) -> Picture:
    """Red, green, blue and white: which way up it is can be seen."""
    image, draw = Image.new("RGB", (width, height), RED), None
    draw = ImageDraw.Draw(image)
    draw.rectangle((width // 2, 0, width, height // 2), GREEN)
    draw.rectangle((0, height // 2, width // 2, height), BLUE)
    draw.rectangle((width // 2, height // 2, width, height), WHITE)
    return image


def encoded(image: Picture, kind: str, **how: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def exif(orientation: int = 1) -> Image.Exif:
    """With a place on earth and a camera."""
    made = Image.Exif()
    made[ORIENTATION], made[MAKER] = orientation, SECRET.decode()
    made.get_ifd(PLACE).update({1: "N", 2: (50.0, 5.0, 1.0), 3: "E", 4: (14.0, 25.0, 2.0)})
    return made


def photo(orientation: int = 1, size: tuple[int, int] = (400, 200), **how: Any) -> bytes:
    """A JPEG as a phone writes it, stored so that it is quarters() when turned upright."""
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = quarters(*size)
    if orientation in back:
        image = image.transpose(back[orientation])
    xmp = b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>"
    how = {"quality": 92, "comment": SECRET, "xmp": xmp, "exif": exif(orientation), **how}
    return encoded(image, "JPEG", **how)


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def animation(kind: str, frames: int = 5, size: tuple[int, int] = (60, 40), **how: Any) -> bytes:
    colors = [(n * 40 % 256, 90, 200 - n * 30 % 200) for n in range(frames)]
    images = [Image.new("RGB", size, color) for color in colors]
    more = {"save_all": True, "append_images": images[1:], "duration": 80, "loop": 0}
    return encoded(images[0], kind, **more, **how)


def gif_bomb(frames: int, size: tuple[int, int]) -> bytes:
    """Frames of a pixel each, on a large canvas."""
    head = b"GIF89a" + struct.pack("<HHBBB", *size, 0x80, 0, 0) + bytes(3) + b"\xff" * 3
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return head + frame * frames + b";"


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_bomb(width: int = 50_000, height: int = 50_000, body: int = 20_000_000) -> bytes:
    """A PNG of zeros, a thousandth of its size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(body), 9)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def deep_png(width: int = 60, height: int = 40) -> bytes:
    """16 bits of grey."""
    image = Image.new("I;16", (width, height))
    for x in range(width):
        for y in range(height):
            image.putpixel((x, y), x * 1000 + y)
    return encoded(image, "PNG")


def archive(*names: str, data: bytes = b"x", **how: Any) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, **how) as made:
        for name in names:
            made.writestr(name, data)
    return out.getvalue()


def docx(data: bytes = b"x") -> bytes:
    return archive("[Content_Types].xml", "word/document.xml", data=data)


def epub() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("mimetype", "application/epub+zip")
        made.writestr("META-INF/container.xml", "<container/>")
    return out.getvalue()


def film(
    path: Path,
    codec: str = "mpeg4",
    size: tuple[int, int] = (320, 160),
    seconds: float = 2,
    black: float = 0,
    sound: str | None = None,
    metadata: dict[str, str] | None = None,
    **options: str,
) -> Path:
    """Quarters, moving a little; its first seconds may be black. FFmpeg tells the format by the
    path's name, and takes the options."""
    with av.open(str(path), "w", options=options) as sink:
        sink.metadata.update(metadata or {})
        pictures: Any = sink.add_stream(codec, rate=25)
        pictures.width, pictures.height, pictures.pix_fmt = *size, "yuv420p"
        pictures.bit_rate = 400_000
        speech: Any = sink.add_stream(sound, rate=48000) if sound else None
        for n in range(int(seconds * 25)):
            image = Image.new("RGB", size) if n < black * 25 else quarters(*size)
            frame = av.VideoFrame.from_image(image)
            frame.pts, frame.time_base = n, Fraction(1, 25)
            sink.mux(pictures.encode(frame))
        sink.mux(pictures.encode(None))
        if speech:
            _speak(sink, speech, seconds)
    return path


def recording(path: Path, codec: str, seconds: float = 2, **metadata: str) -> Path:
    """A tone."""
    with av.open(str(path), "w") as sink:
        sink.metadata.update(metadata)
        _speak(sink, sink.add_stream(codec, rate=48000), seconds)
    return path


def _speak(sink: Any, stream: Any, seconds: float) -> None:
    samples = b"".join(
        struct.pack("<h", round(9000 * math.sin(n / 17))) for n in range(int(48000 * seconds))
    )
    resampler = av.AudioResampler(stream.format.name, stream.layout.name, 48000)
    for start in range(0, len(samples), 1920):
        piece = samples[start : start + 1920]
        frame = av.AudioFrame("s16", "mono", len(piece) // 2)
        frame.planes[0].update(piece.ljust(frame.planes[0].buffer_size, b"\0"))
        frame.sample_rate, frame.pts = 48000, start // 2
        frame.time_base = Fraction(1, 48000)
        for each in resampler.resample(frame):
            sink.mux(stream.encode(each))
    sink.mux(stream.encode(None))


TURNS = {
    0: (1, 0, 0, 1),
    90: (0, 1, -1, 0),
    180: (-1, 0, 0, -1),
    270: (0, -1, 1, 0),
}


def turn_film(path: Path, clockwise: int) -> Path:
    """Writes into an MP4 how it is to be shown, as a phone that is held upright does."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (each * 65536 for each in TURNS[clockwise])
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path
