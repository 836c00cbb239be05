"""What an S3 store refuses, in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from aiohttp import ClientError as ConnectionFailed
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

from quartchat.errors import StorageFull, Unavailable

log = structlog.get_logger("quartchat")

MISSING = frozenset({"NoSuchKey", "404"})
FULL = frozenset({"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "NoSpaceLeft"})
REGION = frozenset({"AuthorizationHeaderMalformed", "PermanentRedirect", "InvalidLocation"})
NO_ROOM = 507
FAILED = (BotoCoreError, ConnectionFailed, TimeoutError)


@contextmanager
def told() -> Iterator[None]:
    """Raises FileNotFoundError, StorageFull or Unavailable for what the library raises."""
    try:
        yield
    except ClientError as error:
        raise _meaning(error) from error
    except FAILED as error:
        log.warning("s3_failed", error=f"{type(error).__name__}: {error}"[:300])
        raise _silent() from error


def code_of(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: Any) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def why(error: Any, bucket: str, endpoint: str) -> str:
    """One line for the operator: what of the settings to change."""
    code, status = code_of(error), status_of(error)
    if code == "NoSuchBucket":
        return f"s3_bucket {bucket}: there is none of this name at {endpoint}; make it there"
    if code in REGION or status == 301:
        return f"s3_region: {endpoint} has the bucket {bucket} in another one ({code})"
    if status in (401, 403, 404):
        return (
            f"s3_key, s3_secret: {endpoint} refuses them for the bucket {bucket} ({code}); "
            "they must be allowed to list, read, write and delete"
        )
    return f"s3_bucket {bucket}: {endpoint} refuses it ({code or status})"


def _meaning(error: Any) -> Exception:
    code = code_of(error)
    if code in MISSING:
        return FileNotFoundError(f"not stored: {error}")
    log.warning("s3_refused", code=code, error=str(error)[:300])
    full = code in FULL or status_of(error) == NO_ROOM
    return StorageFull() if full else _silent()


def _silent() -> Unavailable:
    return Unavailable("The store of files does not answer; try again in a moment.")
