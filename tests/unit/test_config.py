"""Settings: where each comes from, and what is said of one that cannot be used."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quartchat.config import Settings, SettingsError, coerce, env_name, kind, load

Write = Callable[[str], Path]
NAMES = [spec.name for spec in dataclasses.fields(Settings)]


@pytest.fixture
def file(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "quartchat.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def env(**values: str) -> dict[str, str]:
    return {env_name(name): value for name, value in values.items()}


def test_without_any_source_all_settings_have_their_defaults() -> None:
    assert load({}, environ={}) == Settings()


def test_the_file_wins_over_the_default(file: Write) -> None:
    assert load({}, file=file("port = 1001"), environ={}).port == 1001


def test_the_environment_wins_over_the_file(file: Write) -> None:
    assert load({}, file=file("port = 1001"), environ=env(port="1002")).port == 1002


def test_a_flag_wins_over_the_environment_and_the_file(file: Write) -> None:
    found = load({"port": 1003}, file=file("port = 1001"), environ=env(port="1002"))
    assert found.port == 1003


def test_a_flag_that_was_not_given_wins_over_nothing(file: Write) -> None:
    assert load({"port": None}, file=file("port = 1001"), environ={}).port == 1001


def test_sources_are_mixed_setting_by_setting(file: Write) -> None:
    found = load({"port": 1}, file=file('host = "::1"'), environ=env(site_name="Tea"))
    assert (found.port, found.host, found.site_name) == (1, "::1", "Tea")


def test_the_process_environment_counts_where_no_other_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QUARTCHAT_SITE_NAME", "Tea")
    assert load().site_name == "Tea"


@pytest.mark.parametrize("name", NAMES)
def test_each_setting_has_a_help_text_and_an_environment_name(name: str) -> None:
    [spec] = [spec for spec in dataclasses.fields(Settings) if spec.name == name]
    assert spec.metadata["help"]
    assert env_name(name) == "QUARTCHAT_" + name.upper()


@pytest.mark.parametrize("name", NAMES)
def test_each_default_is_of_its_setting_s_own_kind(name: str) -> None:
    assert coerce(name, getattr(Settings(), name)) == getattr(Settings(), name)
    assert isinstance(getattr(Settings(), name), kind(name))


@pytest.mark.parametrize("word", ["1", "true", "Yes", " ON "])
def test_words_for_true_in_the_environment(word: str) -> None:
    assert load({}, environ=env(no_limits=word)).no_limits is True


@pytest.mark.parametrize("word", ["0", "False", "no", "off"])
def test_words_for_false_in_the_environment(word: str) -> None:
    assert load({}, environ=env(signup=word)).signup is False


def test_a_list_in_the_environment_is_parted_by_commas() -> None:
    found = load({}, environ=env(trusted_proxies=" 127.0.0.1 , ,10.0.0.0/8"))
    assert found.trusted_proxies == ("127.0.0.1", "10.0.0.0/8")


def test_a_list_in_the_file_is_a_list(file: Write) -> None:
    found = load({}, file=file('allowed_origins = ["https://a.example"]'), environ={})
    assert found.allowed_origins == ("https://a.example",)


def test_a_flag_given_several_times_is_a_list() -> None:
    assert load({"trusted_proxies": ("::1", "127.0.0.1")}, environ={}).trusted_proxies == (
        "::1",
        "127.0.0.1",
    )


@pytest.mark.parametrize("source", ["flag", "environment", "file"])
def test_a_folder_is_a_path_from_every_source(source: str, file: Write) -> None:
    found = {
        "flag": lambda: load({"data": Path("d")}, environ={}),
        "environment": lambda: load({}, environ=env(data="d")),
        "file": lambda: load({}, file=file('data = "d"'), environ={}),
    }[source]()
    assert found.data == Path("d")
    assert found.database == Path("d/quartchat.db")


def test_a_whole_number_will_do_for_seconds(file: Write) -> None:
    found = load({}, file=file("heartbeat = 5"), environ={})
    assert isinstance(found.heartbeat, float)
    assert found.heartbeat == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "http"),
        ("port", "70000"),
        ("port", "-1"),
        ("signup", "perhaps"),
        ("heartbeat", "soon"),
        ("heartbeat", "0.5"),
        ("heartbeat", "61"),
        ("heartbeat", "nan"),
        ("log_format", "xml"),
        ("log_level", "loud"),
        ("issuer_key", "short"),
    ],
)
def test_a_bad_value_in_the_environment_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"(?i)\b({name}|{env_name(name)})\b"):
        load({}, environ=env(**{name: value}))


@pytest.mark.parametrize("value", ["http", "1.5", ""])
def test_a_value_of_another_kind_names_the_environment_and_what_it_takes(value: str) -> None:
    with pytest.raises(SettingsError, match="environment QUARTCHAT_PORT: takes int"):
        load({}, environ=env(port=value))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('port = "8000"', "port"),
        ("port = 1.5", "port"),
        ("port = true", "port"),
        ('signup = "yes"', "signup"),
        ("signup = 1", "signup"),
        ("site_name = 5", "site_name"),
        ('trusted_proxies = "127.0.0.1"', "trusted_proxies"),
        ("data = 5", "data"),
        ("heartbeat = 100", "heartbeat"),
        ("[port]\nx = 1", "port"),
    ],
)
def test_a_bad_value_in_the_file_is_refused_by_name(line: str, name: str, file: Write) -> None:
    with pytest.raises(SettingsError, match=rf"\b{name}\b"):
        load({}, file=file(line), environ={})


def test_a_value_of_another_kind_in_the_file_names_the_file(file: Write) -> None:
    path = file('port = "8000"')
    with pytest.raises(SettingsError) as refusal:
        load({}, file=path, environ={})
    assert str(path) in str(refusal.value)


@pytest.mark.parametrize("bad", [{"port": "x"}, {"port": 99_999}, {"heartbeat": 0.0}])
def test_a_bad_flag_is_refused_by_name(bad: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=rf"\b{next(iter(bad))}\b"):
        load(bad, environ={})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trusted_proxies", "proxy.example"),
        ("requests_per_second", "0"),
        ("messages_per_second", "-1"),
        ("messages_burst", "0"),
        ("logins_per_minute", "0"),
        ("data", ""),
    ],
)
def test_a_value_that_no_part_of_the_server_could_use_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"(?i)\b({name}|{env_name(name)})\b"):
        load({}, environ=env(**{name: value}))


def test_an_unknown_key_in_the_file_is_named_with_the_file(file: Write) -> None:
    path = file("port = 1\nprot = 2\nzebra = 3")
    with pytest.raises(SettingsError, match=r"unknown prot, zebra") as refusal:
        load({}, file=path, environ={})
    assert str(path) in str(refusal.value)


def test_an_unknown_name_in_the_environment_is_nobody_s_business() -> None:
    assert load({}, environ={"QUARTCHAT_CONFIG": "x", "QUARTCHAT_TOKEN": "y"}) == Settings()


@pytest.mark.parametrize("text", ["port = ", "port", 'port = "', "= 1", "port = 1\nport = 2"])
def test_a_broken_file_is_named(text: str, file: Write) -> None:
    path = file(text)
    with pytest.raises(SettingsError, match="settings file") as refusal:
        load({}, file=path, environ={})
    assert str(path) in str(refusal.value)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"binary\.toml"):
        load({}, file=path, environ={})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml"):
        load({}, file=tmp_path / "none.toml", environ={})


def test_settings_do_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc]
