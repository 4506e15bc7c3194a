"""``metier make`` and ``metier run`` of pictures, on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import seeing_home
import tiny_vision
import workshop
from metier.assembly import Metier
from metier.cli.program import program
from metier.cli.session import Session


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures") / "home"
    seeing_home.opened(folder).close()
    return folder


def run(home: Path, *arguments: str) -> Any:
    """A command in that home."""
    settings = workshop.settings(home)
    session = Session(lambda: Metier.open(settings))
    return CliRunner().invoke(program, arguments, obj=session)


def files(home: Path) -> list[str]:
    """A red and a blue picture."""
    test = home.parent / "pictures" / "test"
    return [str(test / "red" / "0.png"), str(test / "blue" / "0.png")]


def test_one_picture_and_several(home: Path) -> None:
    red, blue = files(home)
    one = run(home, "run", "colours", "--image", red)
    assert one.exit_code == 0
    assert one.stdout.split()[0] == "red"
    several = run(home, "run", "colours", "--image", red, blue)
    assert [line.split()[0] for line in several.stdout.splitlines()] == ["red", "blue"]


def test_as_json(home: Path) -> None:
    red, blue = files(home)
    outcome = run(home, "run", "colours", "--image", red, "--image", blue, "--json", "--top", "1")
    found = json.loads(outcome.stdout)["predictions"]
    assert [(one["file"], one["best"], len(one["scores"])) for one in found] == [
        (red, "red", 1),
        (blue, "blue", 1),
    ]


def test_what_is_wrong_names_the_file(home: Path, tmp_path: Path) -> None:
    (tmp_path / "a.gif").write_bytes(b"GIF89a")
    for arguments, said in (
        (["--image", str(tmp_path / "a.gif")], "a.gif is a GIF"),
        (["--image", str(tmp_path / "none.png")], "none.png"),
        ([], "There is no picture"),
        (["--base", "x", "--image", files(home)[0]], "--base is not for the task"),
    ):
        outcome = run(home, "run", "colours", *arguments)
        assert outcome.exit_code == 2, arguments
        assert said in " ".join(outcome.stderr.split()), arguments


def test_make_and_show(home: Path, tmp_path: Path) -> None:
    data = tiny_vision.labelled(tmp_path / "set", train=6, test=3)
    asked = ["make", "--task", "classify-image", "--data", str(data), "--name", "again"]
    made = run(home, *asked, "--no-curve")
    assert made.exit_code == 0, made.stderr
    assert "colours and gradients" in made.stdout
    assert "metier run again --image FILE" in made.stdout
    assert "ms a picture" in run(home, "show", "again").stdout
    refused = run(home, "make", "--data", str(data), "--name", "x", "--base", "tiny-eye")
    assert refused.exit_code == 2
    assert "--task classify-image" in refused.stderr
