"""`quartchat doctor` as a program of its own, and what it said."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import quartchat

ROOT = Path(quartchat.__file__).parent.parent
PATIENCE = 110.0
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        return json.loads(self.out)

    @property
    def found(self) -> dict[str, dict[str, Any]]:
        """What weighs: name -> the values in its text."""
        found = self.report["findings"]
        return {one["name"]: one["params"] for one in found if one["weight"] != "note"}

    @property
    def noted(self) -> set[str]:
        return {one["name"] for one in self.report["findings"]}

    @property
    def ways(self) -> dict[str, str]:
        return {way["name"]: way["state"] for way in self.report["ways"]}

    def lines(self, program: str, where: str = "") -> list[str]:
        """What it advises to write into the program's settings, in the part of them that is
        called so."""
        parts = self.report["recipes"][program].split("\n\n")
        [part] = [part for part in parts if where in part.split("\n")[0]]
        return [line for line in part.split("\n") if not line.startswith("#")]


async def begun(*args: object, **env: str) -> Process:
    ours = {k: v for k, v in os.environ.items() if k.lower() not in PROXIES}
    words = [sys.executable, "-m", "quartchat", "doctor", *map(str, args)]
    env = {**ours, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **env}
    return await asyncio.create_subprocess_exec(*words, stdout=PIPE, stderr=PIPE, env=env)


async def ended(process: Process) -> Said:
    try:
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert b"Traceback" not in err, err.decode()
    return Said(process.returncode or 0, out.decode(), err.decode())


async def doctor(*args: object, **env: str) -> Said:
    return await ended(await begun(*args, **env))
