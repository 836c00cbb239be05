"""A client of the S3 library that takes keys, profiles and addresses from us alone."""

from __future__ import annotations

import os
from typing import Any

from aiobotocore.config import AioConfig  # type: ignore[import-untyped]
from aiobotocore.session import AioSession  # type: ignore[import-untyped]

CONNECT_SECONDS = 10
SILENT_SECONDS = 60
TRIES = 3
# A reader holds a connection until it has read all, however slowly a phone takes it.
CONNECTIONS = 1000
# Of the library's own variables, those that it would look for elsewhere: nowhere now.
ELSEWHERE = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


def client(endpoint: str, region: str, key: str, secret: str) -> Any:
    """A context manager of a client. Raises ValueError if `endpoint` is no address."""
    return AioSession(ELSEWHERE).create_client(
        "s3",
        endpoint_url=endpoint,
        region_name=region or "us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=AioConfig(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=SILENT_SECONDS,
            max_pool_connections=CONNECTIONS,
            retries={"mode": "standard", "total_max_attempts": TRIES},
            # Trailing checksums are unknown to many compatible stores.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            # Over https the content is hashed already: no second time, in the event loop.
            s3={"payload_signing_enabled": False},
        ),
    )
