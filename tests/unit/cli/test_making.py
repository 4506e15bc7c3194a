"""Making: words become a recipe, the card is the answer, and Ctrl-C says what was kept."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import metier as package
from metier.card import Verdict
from metier.errors import MetierError

SOURCE = Path(package.__file__).parents[1]
RECIPE = """
format = 1
[specialist]
name = "tickets"
[[data]]
kind = "file"
path = "tickets.csv"
"""


@pytest.fixture
def data(tmp_path: Path) -> str:
    file = tmp_path / "tickets.csv"
    file.write_text("text,label\nhello,greeting\n")
    return str(file)


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    file = tmp_path / "recipes" / "tickets.toml"
    file.parent.mkdir()
    file.write_text(RECIPE)
    return str(file)


def test_examples_become_a_card_and_the_next_command(metier: Any, facade: Any, data: str) -> None:
    outcome = metier("make", "--data", data, "--name", "tickets", "--budget", "2m", "--seed", "7")
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1] == 'Run it:  metier run tickets "your text"'
    assert "▸  encoder-int8" in outcome.out
    asked = dict(facade.calls)["recipe_for"]
    assert asked == {
        "data": Path(data), "name": "tickets", "domain": "general", "eval_file": None,
        "text": None, "label": None, "group": None,
        "budget": 120.0, "seed": 7, "drop_leaks": False, "curve": True,
    }  # fmt: skip


def test_progress_goes_to_stderr_as_lines_that_grow(metier: Any, data: str) -> None:
    lines = metier("make", "--data", data, "--name", "tickets").err.splitlines()
    assert lines[0] == "Reading the data: 13,083 rows, 77 labels."
    assert "linear: 90.2 % (89.4 to 91.0), 0.31 ms/text, 412 kB, made in 4.2 s" in lines
    assert len(lines) < 20


def test_json_is_the_card_and_nothing_else(metier: Any, facade: Any, data: str) -> None:
    outcome = metier("make", "--data", data, "--name", "tickets", "--json", "--no-curve")
    assert outcome.json() == {"name": "tickets", "card": json.loads(facade.card.to_bytes())}
    assert dict(facade.calls)["recipe_for"]["curve"] is False


def test_a_loss_is_exit_code_1(metier: Any, facade: Any, data: str, make: Any) -> None:
    loss = make.evidence("base", make.difference(-0.05, 0.017, Verdict.LOSS))
    facade.card = make.card("tickets", evidence=(loss,))
    outcome = metier("make", "--data", data, "--name", "tickets")
    assert outcome.code == 1
    assert "▼ LOSS -5.0" in outcome.out


def test_a_taken_name_is_kept_unless_forced(metier: Any, data: str) -> None:
    words = ("make", "--data", data, "--name", "sms-spam")
    outcome = metier(*words)
    assert outcome.code == 2
    assert "There is a specialist called 'sms-spam' already." in outcome.err
    assert "--force" in outcome.err
    assert metier(*words, "--force").code == 0


def test_a_recipe_starts_its_paths_at_its_folder(metier: Any, facade: Any, recipe: str) -> None:
    assert metier("make", recipe).code == 0
    made = dict(facade.calls)["make"]
    assert made["folder"] == Path(recipe).parent
    assert made["recipe"].specialist.name == "tickets"


def test_what_the_command_line_says_goes_into_the_recipe(
    metier: Any, facade: Any, recipe: str
) -> None:
    words = (
        "--name",
        "other",
        "--domain",
        "orders",
        "--budget",
        "90s",
        "--seed",
        "3",
        "--drop-leaks",
        "--no-curve",
    )
    assert metier("make", recipe, *words).code == 0
    made = dict(facade.calls)["make"]["recipe"]
    assert (made.specialist.name, made.specialist.domain) == ("other", "orders")
    assert made.ladder.budget_seconds == 90
    assert made.ladder.seed == 3
    assert made.ladder.curve is False
    assert made.split.drop_leaks is True


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--data is missing."),
        (("--data", "DATA"), "--name is missing."),
        (("--data", "nowhere.csv", "--name", "x"), "There is no file or folder 'nowhere.csv'."),
        (("--data", "DATA", "--name", "a b"), "'a b' is not a valid name"),
        (("--data", "DATA", "--name", "x", "--budget", "soon"), "'soon' is not a duration"),
        (
            ("--data", "DATA", "--name", "x", "--task", "paint"),
            "'paint' is not one of 'classify', 'classify-image', 'search'",
        ),
        (("nowhere.toml",), "There is no recipe 'nowhere.toml'."),
        (("RECIPE", "--data", "DATA", "--text", "t"), "--data and --text cannot be given with"),
        (("RECIPE", "--name", "a b"), "'a b' is not a valid name"),
        (("DATA",), "is not valid TOML"),
    ],
)
def test_wrong_words_are_input(
    metier: Any, data: str, recipe: str, words: tuple[str, ...], told: str
) -> None:
    outcome = metier("make", *({"DATA": data, "RECIPE": recipe}.get(word, word) for word in words))
    assert outcome.code == 2
    assert told in " ".join(outcome.err.split())
    assert outcome.out == ""


def test_cancelled_work_says_that_nothing_was_saved(metier: Any, facade: Any, data: str) -> None:
    facade.failure = None

    def cancelled(*_: Any, **__: Any) -> Any:
        raise MetierError("Cancelled.", code="cancelled")

    facade.make = cancelled
    outcome = metier("make", "--data", data, "--name", "tickets")
    assert outcome.code == 130
    assert "Nothing was saved as 'tickets'." in outcome.err
    kept = metier("make", "--data", data, "--name", "sms-spam", "--force", "--json")
    assert kept.json()["error"]["remedy"].startswith("'sms-spam' is as it was.")


def started(tmp_path: Path, data: str, pause: float, **more: Any) -> subprocess.Popen[bytes]:
    """``metier make`` in a process of its own, over the façade of ``conftest.py``."""
    script = tmp_path / "door.py"
    script.write_text(
        "import importlib.util, pathlib, sys\n"
        f"spec = importlib.util.spec_from_file_location('small', {str(CONFTEST)!r})\n"
        "small = importlib.util.module_from_spec(spec)\n"
        "sys.modules['small'] = small\n"
        "spec.loader.exec_module(small)\n"
        f"facade = small.SmallFacade(pathlib.Path({str(tmp_path)!r}))\n"
        f"facade.pause = {pause}\n"
        "small.main(obj=small.Session(lambda: facade))\n"
    )
    paths = os.pathsep.join((str(SOURCE), str(TESTS)))
    environment = {**os.environ, "PYTHONPATH": paths, "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    words = [sys.executable, str(script), "make", "--data", data, "--name", "tickets"]
    return subprocess.Popen(words, env=environment, **more)


CONFTEST = Path(__file__).with_name("conftest.py")
TESTS = Path(__file__).parents[2]


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_ends_cleanly(tmp_path: Path, data: str, presses: int) -> None:
    process = started(
        tmp_path, data, 0.4 if presses == 1 else 5.0, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    told = b""
    while b"Looking for leaks" not in told:
        line = process.stderr.readline()
        assert line, told.decode()
        told += line
    for _ in range(presses):
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
    out, rest = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == b""
    assert b"Stopping after this step. Press Ctrl-C again" in rest
    assert b"Nothing was saved as 'tickets'." in rest
    assert b"Traceback" not in rest


def test_a_terminal_shows_the_ladder_live(tmp_path: Path, data: str) -> None:
    ours, theirs = pty.openpty()
    process = started(tmp_path, data, 0.06, stdout=theirs, stderr=theirs, stdin=theirs)
    os.close(theirs)
    told = b""
    while process.poll() is None or select.select([ours], [], [], 0.2)[0]:
        if not select.select([ours], [], [], 0.2)[0]:
            continue
        try:
            told += os.read(ours, 65536)
        except OSError:
            break
    os.close(ours)
    assert process.wait(timeout=30) == 0
    text = told.decode()
    assert "Making linear." in text
    assert " left" in text
    assert "\x1b[" in text
    assert text.rstrip().splitlines()[-1].endswith('"your text"\x1b[0m')
