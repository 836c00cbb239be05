"""Which storage the settings ask for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from quartchat.config import Settings, SettingsError
from quartchat.storage.folder import Folder
from quartchat.storage.opening import open_storage

BUCKET = {
    "s3_bucket": "files",
    "s3_endpoint": "https://s3.example.org",
    "s3_key": "key",
    "s3_secret": "secret",
}


async def test_files_are_in_the_data_folder_by_default(tmp_path: Path) -> None:
    storage = open_storage(Settings(data=tmp_path))
    assert isinstance(storage, Folder)
    await storage.check()
    assert (tmp_path / "files" / "stored").is_dir()
    await storage.close()


async def test_a_bucket_is_used_where_one_is_set(tmp_path: Path) -> None:
    storage = open_storage(Settings(data=tmp_path, **BUCKET))
    assert type(storage).__name__ == "S3"
    await storage.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["s3_endpoint", "s3_key", "s3_secret"])
def test_a_bucket_needs_its_other_settings(name: str) -> None:
    with pytest.raises(SettingsError, match=f"setting {name}: is needed with s3_bucket"):
        open_storage(Settings(**{**BUCKET, name: ""}))


def test_a_bucket_without_the_extra_tells_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "aiobotocore", None)
    with pytest.raises(SettingsError, match=r"run: pip install 'quartchat\[s3\]'"):
        open_storage(Settings(**BUCKET))


def test_the_library_is_not_loaded_where_it_is_not_used(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from quartchat.config import Settings
from quartchat.storage.opening import open_storage
open_storage(Settings(data=Path({str(tmp_path)!r})))
assert not {{"aiobotocore", "botocore", "aiohttp"}} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", code], check=True)
