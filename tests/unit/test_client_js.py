"""The browser client's own tests: node's test runner plays its modules against a clock that stands
still, a server in memory and networks that break in every way (see tests/node/client)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

NODE_TESTS = Path(__file__).parent.parent / "node"
SECONDS = 600  # the random plays take one minute on an idle machine
LAST = 8000  # characters of what failed


def _files() -> list[Path]:
    found = NODE_TESTS.rglob("*.test.mjs")
    return sorted(path for path in found if "node_modules" not in path.parts)


@pytest.mark.timeout(SECONDS + 60)
@pytest.mark.parametrize("path", _files(), ids=lambda path: str(path.relative_to(NODE_TESTS)))
def test_the_client_passes_the_tests_that_node_runs(path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("apt-get install nodejs")
    # Who runs node's tests by node itself would have their output parsed by it.
    env = {name: value for name, value in os.environ.items() if name != "NODE_TEST_CONTEXT"}
    command = [node, "--test", "--test-reporter=tap", str(path)]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=SECONDS, env=env
    )
    if done.returncode:
        pytest.fail(_failures(done.stdout) + done.stderr[-LAST:], pytrace=False)


def _failures(tap: str) -> str:
    """What TAP says of the tests that did not pass."""
    parts: list[str] = []
    is_shown = False
    for line in tap.splitlines(keepends=True):
        text = line.strip()
        if text.startswith(("ok ", "not ok ", "# Subtest", "# ")):
            is_shown = text.startswith("not ok ")
        if is_shown:
            parts.append(line)
    return "".join(parts)[:LAST] or tap[-LAST:]
