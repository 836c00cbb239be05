"""A bound on WebSocket messages, held where their frames' headers are read."""

from __future__ import annotations

from wsproto.extensions import Extension
from wsproto.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, RsvBits


class SizeLimit(Extension):
    """Refuses the frame header that takes its message over `most` bytes, before any payload.

    An extension to wsproto only: it is never negotiated.
    """

    name = "quartchat-size-limit"

    def __init__(self, most: int) -> None:
        self._most, self._total = most, 0

    def enabled(self) -> bool:
        return True

    def offer(self) -> bool:
        return False

    def frame_inbound_header(
        self,
        proto: FrameDecoder | FrameProtocol,
        opcode: Opcode,
        rsv: RsvBits,
        payload_length: int,
    ) -> CloseReason | RsvBits:
        if not opcode.iscontrol():
            before = self._total if opcode is Opcode.CONTINUATION else 0
            self._total = before + payload_length
        if self._total > self._most:
            return CloseReason.MESSAGE_TOO_BIG
        return RsvBits(rsv1=False, rsv2=False, rsv3=False)
