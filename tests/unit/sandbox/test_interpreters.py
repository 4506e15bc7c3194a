"""Where Python and single programs lie."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from metier.sandbox import interpreters
from metier.sandbox.values import Place


def test_this_python_is_found() -> None:
    command, places = interpreters.python()
    assert Path(command).is_file()
    assert Path(command).is_relative_to("/usr") or places


@pytest.mark.parametrize(
    ("executable", "prefix", "expected"),
    [
        ("/usr/bin/env", "/usr", []),
        ("{}/bin/python", "{}", ["{}"]),
        ("{}/bin/python", "/usr", ["/usr", "{}/bin/python"]),
    ],
)
def test_places_of_a_python(
    executable: str,
    prefix: str,
    expected: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", executable.format(tmp_path))
    monkeypatch.setattr(sys, "base_prefix", prefix.format(tmp_path))
    found = interpreters.python()[1]
    assert [str(place.source) for place in found] == [item.format(tmp_path) for item in expected]


def test_a_program_is_its_file(tmp_path: Path) -> None:
    (tmp_path / "node-20").touch()
    (tmp_path / "node").symlink_to("node-20")
    expected = Place((tmp_path / "node-20").resolve(), str(tmp_path / "node"))
    assert interpreters.program(tmp_path / "node") == (expected,)
    assert interpreters.program(Path("/usr/bin/env")) == ()


def test_packages_are_found_where_they_lie() -> None:
    found = interpreters.packages("numpy", "metier", "numpy")
    assert [place.target for place in found] == ["/packages/0", "/packages/1"][: len(found)]
    assert (found[0].source / "numpy" / "__init__.py").is_file()
    with pytest.raises(ModuleNotFoundError) as told:
        interpreters.packages("no_such_package")
    assert told.value.name == "no_such_package"
