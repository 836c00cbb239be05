"""What one client may take of the server: sizes in bytes, times in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    max_frame: int = 64 * 2**10
    """bytes in one WebSocket message, however many frames carry it"""
    max_body: int = 128 * 2**10
    """bytes in a request body that brings no file"""
    body_seconds: float = 20.0
    """how long such a body may take from its headers to its end"""
    max_upload: int = 32 * 2**20
    """bytes in a body that brings files (multipart, octets, a picture), its envelope included"""
    upload_seconds: float = 900.0
    """how long such a body may take"""
    max_headers: int = 16 * 2**10
    """bytes in the request line and all headers"""
    header_seconds: float = 20.0
    """how long a connection may be without a complete request"""
    ping_seconds: float = 20.0
    """silence after which a WebSocket is pinged; twice as long and it is dead"""
    window_frames: int = 64
    """WebSocket messages taken in that the handler has not consumed"""
    window_bytes: int = 256 * 2**10
    """their bytes"""
    linger_seconds: float = 2.0
    """how long what still comes in is thrown away after the last answer, so that it is read"""
