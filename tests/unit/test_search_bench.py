"""`quartchat bench search` on a small scale."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from quartchat.cli import main
from quartchat.cli.bench_data import Talk


def test_the_benchmark_fills_a_folder_once_and_times_every_search(tmp_path: Path) -> None:
    asked = ["bench", "search", "--messages", "2000", "--runs", "1", "--data", str(tmp_path)]
    first = CliRunner().invoke(main, [*asked, "--json"])
    assert first.exit_code == 0, first.output
    figures = json.loads(first.stdout)
    found = {row["search"]: row["found"] for row in figures}
    assert (found["a common word"], found["nothing at all"]) == (20, 0)
    assert all(0 < row["p50_ms"] <= row["p95_ms"] for row in figures)
    again = CliRunner().invoke(main, asked)
    assert again.exit_code == 0, again.output
    assert "Filling" not in again.output
    assert again.output.startswith("Search")


def test_the_same_seed_makes_the_same_talk() -> None:
    one, other = Talk(), Talk()
    assert list(one.messages(50)) == list(other.messages(50))
