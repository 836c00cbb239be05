"""The README's examples, as printed, against a server started by `quartchat serve`."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import quartchat

ROOT = Path(quartchat.__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CURL = README.partition("\n## By curl\n")[2].partition("\n## ")[0]
ADDRESS = "URL=http://127.0.0.1:8000"
# Streams have no end of their own; what came until then is what is looked at.
PRELUDE = r"""
set -eu -o pipefail
curl() {
  local seconds=20 outcome=0
  case "$1" in *N*) seconds=1.5 ;; esac
  printf '\n=== %s\n' "$*" >>"$ANSWERS"
  command curl --fail-with-body --max-time "$seconds" "$@" | tee -a "$ANSWERS" || outcome=$?
  [ "$outcome" = 0 ] || [ "$outcome" = 28 ] || exit "$outcome"
}
"""
EPILOGUE = '\nprintf "CHAT=%s\\nTOKEN=%s\\n" "$CHAT" "$TOKEN" >"$NAMES"\n'

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl"),
]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", CURL, re.MULTILINE | re.DOTALL)


@dataclass
class Run:
    """What the examples did: (arguments of curl, answer) each, and the names that they set."""

    url: str
    answers: list[tuple[str, str]]
    names: dict[str, str]

    def of(self, part: str) -> str:
        """The answer to the one request whose arguments hold this."""
        [answer] = [answer for asked, answer in self.answers if part in asked]
        return answer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader would be: with a `.venv` that has the command in it, and a key to publish."""
    folder = tmp_path_factory.mktemp("readme")
    script = folder / ".venv/bin/quartchat"
    script.parent.mkdir(parents=True)
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m quartchat "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    (folder / "publish.key").write_text(secrets.token_urlsafe(32) + "\n", encoding="ascii")
    return folder


def environment(**more: str) -> dict[str, str]:
    ours = {k: v for k, v in os.environ.items() if not k.startswith("QUARTCHAT_")}
    return {**ours, "PYTHONPATH": str(ROOT), **more}


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with subprocess.Popen(
        [folder / ".venv/bin/quartchat", "serve", "--port", "0"],
        cwd=folder,
        env=environment(QUARTCHAT_PUBLISH_KEYS=(folder / "publish.key").read_text("ascii")),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(10) == 0


@pytest.fixture(scope="module")
def run(folder: Path, url: str) -> Run:
    script = "\n".join(blocks("sh"))
    assert ADDRESS in script
    answers, names = folder / "answers", folder / "names"
    subprocess.run(
        ["bash", "-c", PRELUDE + script.replace(ADDRESS, f"URL={url}") + EPILOGUE],
        cwd=folder,
        env=environment(ANSWERS=str(answers), NAMES=str(names)),
        check=True,
        timeout=90,
        stdout=subprocess.DEVNULL,
    )
    parts = [part.partition("\n") for part in answers.read_text("utf-8").split("\n=== ")[1:]]
    set_names = dict(line.split("=", 1) for line in names.read_text("utf-8").splitlines())
    return Run(url, [(asked, answer) for asked, _, answer in parts], set_names)


def contents(run: Run) -> list[str]:
    page = json.loads(run.of("messages?limit=20"))
    return [message["content"] for message in page["messages"]]


def test_a_message_goes_out_as_json_as_text_and_as_a_form(run: Run) -> None:
    sent = [
        answer for asked, answer in run.answers if "/messages -H" in asked and "content" in asked
    ][:3]
    acks = [json.loads(answer) for answer in sent]
    assert [set(ack) for ack in acks] == [{"client_id", "message_id", "event_id", "timestamp"}] * 3
    assert contents(run) == ["The kettle is on", "Green or black?", "Milk & sugar?"]


def test_every_transport_brings_what_was_sent(run: Run) -> None:
    for part in ("/events?last_event_id=0", "/stream?", "/poll?", "/live"):
        answer = run.of(part)
        assert "The kettle is on" in answer, part
        assert "Green or black?" in answer, part


def test_a_reader_that_resumes_gets_what_came_after_its_last_event(run: Run) -> None:
    answer = run.of("Last-Event-ID")
    assert "Green or black?" not in answer
    assert "Milk & sugar?" in answer
    assert '"resumed":true' in answer


def test_the_serial_poll_answers_its_command_and_brings_events(run: Run) -> None:
    events = json.loads(run.of("commands"))["events"]
    assert [event["type"] for event in events[:2]] == ["ack", "new_message"]


def test_a_message_is_changed_reacted_to_pinned_and_deleted(run: Run) -> None:
    marks = ("-X PATCH", "/reactions", "/pin", "-X DELETE")
    acks = [json.loads(run.of(part)) for part in marks]
    assert all(ack["event_id"] for ack in acks)
    assert len({ack["message_id"] for ack in acks}) == 1


def test_who_comes_in_by_a_link_and_is_mentioned_is_notified(run: Run) -> None:
    assert json.loads(run.of("/api/invites/"))["event_id"]
    told = json.loads(run.of("notifications?unread=1"))
    assert told["unread"] == 1
    assert [one["message"] for one in told["notifications"]] == [
        "ada mentioned you in Tea: @ben, a cup for you?"
    ]
    assert json.loads(run.of("notifications/read")) == {"unread": 0}


def test_a_search_finds_what_was_said(run: Run) -> None:
    found = [json.loads(run.of(part))["messages"] for part in ("-coffee", "q=black")]
    assert [[message["content"] for message in messages] for messages in found] == [
        ["The kettle is on"],
        ["Green or black?"],
    ]


def test_a_program_publishes_with_its_key(run: Run) -> None:
    for part in ("cake-1", "kitchen.oven"):
        assert set(json.loads(run.of(part))) == {"event_id", "timestamp"}


def test_the_websocket_example_runs_as_printed(run: Run, folder: Path) -> None:
    [program] = blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment(URL=run.url, **run.names),
        check=True,
        timeout=30,
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[-1].startswith("ack {'client_id'")
