"""Templates compiled once in a process, however many applications it makes of them."""

from __future__ import annotations

from types import CodeType

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

_codes: dict[tuple[str, str], CodeType | None] = {}


class Compiled(BytecodeCache):
    """For environments of equal settings. A template that changed is compiled again."""

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = _codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        _codes[bucket.key, bucket.checksum] = bucket.code
