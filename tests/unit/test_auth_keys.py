from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from quartchat.auth import keys
from quartchat.auth.keys import load_or_create_key
from quartchat.config import SettingsError


def test_the_first_start_makes_a_key_that_only_its_owner_may_read(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    key = load_or_create_key(folder)
    assert len(key) >= 32
    assert (folder / "secret.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == ["secret.key"]


def test_the_next_start_finds_the_same_key(tmp_path: Path) -> None:
    assert load_or_create_key(tmp_path) == load_or_create_key(tmp_path)


def test_two_folders_have_two_keys(tmp_path: Path) -> None:
    assert load_or_create_key(tmp_path / "a") != load_or_create_key(tmp_path / "b")


def test_processes_that_start_at_once_get_one_key(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from quartchat.auth.keys import load_or_create_key;"
        "sys.stdin.read(); print(load_or_create_key(Path(sys.argv[1])).hex())"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    printed = {process.communicate(timeout=30)[0] for process in started}
    assert printed == {load_or_create_key(tmp_path).hex().encode() + b"\n"}


def test_a_process_that_comes_second_keeps_the_key_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_or_create_key(tmp_path)
    keys._create(tmp_path / "secret.key")
    assert load_or_create_key(tmp_path) == first


def test_a_key_that_others_may_read_is_closed_and_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = load_or_create_key(tmp_path)
    path = tmp_path / "secret.key"
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        assert load_or_create_key(tmp_path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert "open to other users" in caplog.text
    assert key.hex() not in caplog.text


def test_a_key_that_cannot_be_closed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_or_create_key(tmp_path)
    (tmp_path / "secret.key").chmod(0o644)

    def refuse(self: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(SettingsError, match="chmod 600"):
        load_or_create_key(tmp_path)


@pytest.mark.parametrize("size", [0, 31])
def test_a_key_that_is_too_short_is_refused_and_left_as_it_is(tmp_path: Path, size: int) -> None:
    path = tmp_path / "secret.key"
    path.write_bytes(b"x" * size)
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="needs 32 or more"):
        load_or_create_key(tmp_path)
    assert path.stat().st_size == size


def test_a_folder_that_cannot_be_made_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file stands here")
    with pytest.raises(SettingsError, match=r"secret\.key"):
        load_or_create_key(tmp_path / "data")


def test_what_is_derived_for_two_purposes_differs() -> None:
    assert keys.derive(b"k" * 32, "one") != keys.derive(b"k" * 32, "two")
    assert len(keys.derive(b"k" * 32, "one")) == 32
