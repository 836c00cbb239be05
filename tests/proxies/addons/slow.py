"""Each request waits between nothing and QC_SECONDS, so that answers overtake each other."""

import asyncio
import os
from random import Random

from mitmproxy import http

random, SECONDS = Random(7), float(os.environ["QC_SECONDS"])


async def request(flow: http.HTTPFlow) -> None:
    if flow.request.path.startswith(("/t/", "/api/")):
        await asyncio.sleep(random.uniform(0, SECONDS))


async def response(flow: http.HTTPFlow) -> None:
    if flow.request.path.startswith(("/t/", "/api/")):
        await asyncio.sleep(random.uniform(0, SECONDS))
