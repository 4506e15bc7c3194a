"""What may be asked of a sandbox, and what is refused before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.errors import InputError
from metier.sandbox.values import (
    MOST_FILES,
    Limits,
    Place,
    checked_command,
    checked_files,
    checked_place,
)


def test_files_become_bytes() -> None:
    assert checked_files({"a/b.txt": "é", "c": b"\0"}) == {"a/b.txt": b"\xc3\xa9", "c": b"\0"}


@pytest.mark.parametrize(
    "name", ["", ".", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", "./a", "nul\0"]
)
def test_a_file_stays_inside(name: str) -> None:
    with pytest.raises(InputError) as caught:
        checked_files({name: "x"})
    assert caught.value.code == "bad_sandbox_file"


def test_a_file_is_no_folder() -> None:
    with pytest.raises(InputError, match="inside another"):
        checked_files({"a": "x", "a/b": "y"})


def test_files_are_counted() -> None:
    with pytest.raises(InputError, match="256 is the most"):
        checked_files({f"f{number}": "" for number in range(MOST_FILES + 1)})


def test_a_place_is_resolved(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert checked_place(Place(tmp_path / "link", "/tool")) == Place(tmp_path.resolve(), "/tool")


@pytest.mark.parametrize("target", ["tool", "/", "/a/../b", ""])
def test_a_target_is_absolute(target: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        checked_place(Place(tmp_path, target))
    assert caught.value.code == "bad_sandbox_place"


def test_a_place_exists(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        checked_place(Place(tmp_path / "no", "/tool"))


@pytest.mark.parametrize("command", ["ls -l", [], None])
def test_a_command_is_a_list(command: object) -> None:
    with pytest.raises(InputError) as caught:
        checked_command(command)
    assert caught.value.code == "bad_sandbox_command"


def test_a_command_is_text() -> None:
    assert checked_command(("ls", Path("/x"))) == ["ls", "/x"]


@pytest.mark.parametrize(
    ("program", "limits", "expected"),
    [
        ("/usr/bin/python3", Limits(memory_mb=2), 2 << 20),
        ("node", Limits(memory_mb=2), None),
        ("node", Limits(address_mb=3), 3 << 20),
        ("python", Limits(memory_mb=2, address_mb=3), 3 << 20),
    ],
)
def test_address_space_is_capped_for_python(
    program: str, limits: Limits, expected: int | None
) -> None:
    assert limits.address_bytes(program) == expected
