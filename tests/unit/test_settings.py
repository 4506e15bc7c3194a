"""The environment is read once, checked, and no key is ever shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from metier.errors import InputError
from metier.settings import Settings


def test_home_is_what_the_environment_says(tmp_path: Path) -> None:
    assert Settings.read({"METIER_HOME": str(tmp_path), "XDG_DATA_HOME": "/x"}).home == tmp_path
    assert Settings.read({"XDG_DATA_HOME": str(tmp_path)}).home == tmp_path / "metier"
    assert Settings.read({"HOME": str(tmp_path)}).home == tmp_path / ".metier"
    assert Settings.read({"HOME": str(tmp_path), "METIER_HOME": "~/m"}).home == tmp_path / "m"
    assert Settings.read({"HOME": str(tmp_path), "METIER_HOME": "~"}).home == tmp_path


def test_home_is_absolute_and_need_not_exist(tmp_path: Path) -> None:
    settings = Settings.read({"METIER_HOME": "not/there"})
    assert settings.home == Path.cwd() / "not/there"
    assert settings.ledger == settings.home / "ledger.sqlite"
    assert settings.prices == settings.home / "prices.toml"


def test_without_an_argument_the_real_environment_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METIER_HOME", str(tmp_path))
    assert Settings.read().home == tmp_path


def test_without_a_home_folder_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    with pytest.raises(InputError, match="no home folder") as caught:
        Settings.read({})
    assert caught.value.remedy == "Set METIER_HOME to the folder that Metier may use."


def test_everything_that_can_be_set(tmp_path: Path) -> None:
    settings = Settings.read(
        {
            "METIER_HOME": str(tmp_path),
            "METIER_MIRROR": str(tmp_path),
            "METIER_GENERAL_URL": "https://api.example.com/v1/",
            "METIER_GENERAL_MODEL": "large",
            "METIER_GENERAL_KEY": " sk-secret\n",
            "METIER_THREADS": "3",
            "NO_COLOR": "1",
            "HF_ENDPOINT": "https://mirror.example.com/",
            "HF_HUB_OFFLINE": "yes",
        }
    )
    assert settings.mirror == tmp_path
    assert settings.general_url == "https://api.example.com/v1"
    assert settings.general_model == "large"
    assert settings.general_key == "sk-secret"
    assert settings.threads == 3
    assert settings.no_color
    assert settings.hub_endpoint == "https://mirror.example.com"
    assert settings.hub_offline
    assert "sk-secret" not in repr(settings)


def test_empty_values_are_not_set(tmp_path: Path) -> None:
    names = ("MIRROR", "GENERAL_URL", "GENERAL_MODEL", "GENERAL_KEY", "GENERAL_KEY_FILE", "THREADS")
    empty = {f"METIER_{name}": "" for name in names}
    settings = Settings.read(
        {"METIER_HOME": str(tmp_path), "NO_COLOR": "", "HF_HUB_OFFLINE": "0", **empty}
    )
    assert settings == Settings(home=tmp_path)


def test_the_key_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("sk-secret\n", encoding="utf-8")
    found = Settings.read({"HOME": str(tmp_path), "METIER_GENERAL_KEY_FILE": str(file)})
    assert found.general_key == "sk-secret"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("METIER_HOME", "a\0b"),
        ("METIER_HOME", "{file}"),
        ("METIER_MIRROR", "{folder}/missing"),
        ("METIER_GENERAL_URL", "ftp://example.com"),
        ("METIER_GENERAL_URL", "example.com/v1"),
        ("METIER_GENERAL_URL", "http://[::1"),
        ("METIER_GENERAL_URL", "http://example.com:0/"),
        ("METIER_GENERAL_URL", "http://example.com:99999999/"),
        ("METIER_GENERAL_URL", "https://user:sk-secret@example.com/v1"),
        ("METIER_GENERAL_KEY", "two\nlines"),
        ("METIER_GENERAL_KEY", "schlüssel"),
        ("METIER_GENERAL_KEY", "  "),
        ("METIER_GENERAL_KEY_FILE", "{folder}"),
        ("METIER_GENERAL_KEY_FILE", "{folder}/missing"),
        ("METIER_GENERAL_KEY_FILE", "{empty}"),
        ("METIER_GENERAL_KEY_FILE", "{binary}"),
        ("METIER_GENERAL_KEY_FILE", "{large}"),
        ("METIER_THREADS", "0"),
        ("METIER_THREADS", "-1"),
        ("METIER_THREADS", "many"),
        ("METIER_THREADS", "99999"),
        ("METIER_THREADS", "²"),
    ],
)
def test_a_bad_value_is_named_and_never_leaks_a_key(tmp_path: Path, name: str, value: str) -> None:
    for file, content in (
        ("file", b"x"),
        ("empty", b"\n"),
        ("binary", b"\xff"),
        ("large", b"k" * 99_999),
    ):
        (tmp_path / file).write_bytes(content)
    places = {file: str(tmp_path / file) for file in ("file", "empty", "binary", "large")}
    text = value.format(folder=tmp_path, **places)
    values = {"HOME": str(tmp_path), "METIER_GENERAL_MODEL": "m", name: text}
    with pytest.raises(InputError) as caught:
        Settings.read(values)
    assert caught.value.code == "bad_setting"
    assert name in caught.value.message or "key of the general model" in caught.value.message
    assert "sk-secret" not in str(caught.value.as_dict())


def test_an_address_needs_a_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="METIER_GENERAL_MODEL"):
        Settings.read({"HOME": str(tmp_path), "METIER_GENERAL_URL": "http://localhost:1/v1"})


def test_two_keys_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="both"):
        Settings.read(
            {"HOME": str(tmp_path), "METIER_GENERAL_KEY": "a", "METIER_GENERAL_KEY_FILE": "b"}
        )
