"""Every script in examples/ runs offline in a minute and does what its first lines say."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ARGUMENTS = {"tickets.py": ["tickets.csv"]}
AT_MOST = 8
SECONDS = 60


def run(name: str, folder: Path) -> str:
    """Run an example in ``folder``; its standard output."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name), *ARGUMENTS.get(name, [])],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        env={"HOME": str(folder), "METIER_HOME": str(folder / "store"), "LC_ALL": "C"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_the_example_runs(path: Path, tmp_path: Path) -> None:
    assert run(path.name, tmp_path).strip(), "an example shows something"


def test_there_are_few_examples() -> None:
    assert 0 < len(list(EXAMPLES.glob("*.py"))) <= AT_MOST


def rows_in(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def runs_of_thirteen(text: str) -> set[tuple[str, ...]]:
    """The runs of 13 words that the leak gate compares; all words of a shorter text."""
    words = re.sub(r"[\W_]+", " ", text.casefold()).split()
    return {tuple(words[i : i + 13]) for i in range(max(1, len(words) - 12))}


def test_the_tickets_are_fit_for_a_tutorial(tmp_path: Path) -> None:
    run("tickets.py", tmp_path)
    first = (tmp_path / "tickets.csv").read_bytes()
    rows = rows_in(tmp_path / "tickets.csv")
    assert len(rows) == 600
    assert set(rows[0]) == {"text", "team"}
    counts = Counter(row["team"] for row in rows)
    assert len(counts) == 6
    assert min(counts.values()) >= 80
    runs = [run_of_words for row in rows for run_of_words in runs_of_thirteen(row["text"])]
    assert runs
    assert len(set(runs)) == len(runs), "no ticket is another one in disguise"

    run("tickets.py", tmp_path)
    assert (tmp_path / "tickets.csv").read_bytes() == first
