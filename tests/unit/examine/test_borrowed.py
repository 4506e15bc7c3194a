"""Tasks of others: pinned rows become tasks, wherever they come from."""

import hashlib
import json
import tomllib
from pathlib import Path

import pytest

import metier
from metier.errors import InputError, InternalError
from metier.examine.borrowed import borrowed_suite, prompted_suite
from metier.recipe import DataPart

PACKAGED = Path(metier.__file__).parent / "suites" / "python"
HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": "import math\n\n\ndef half(n):\n    '''Half of n.'''\n",
    "entry_point": "half",
    "canonical_solution": "    return n / 2\n",
    "test": "def check(candidate):\n    assert candidate(4) == 2\n",
}
MBPP = {
    "text": "Write a function to double a number.",
    "code": "def double(n):\r\n  return n * 2",
    "task_id": 11,
    "test_setup_code": "",
    "test_list": ["assert double(2) == 4"],
    "challenge_test_list": [],
    "split": "test",
}


def pinned(tmp_path: Path, *rows: dict, digest: str | None = None) -> tuple[Path, Path]:
    """A folder with pins, and a mirror that holds the rows."""
    folder, mirror = tmp_path / "mine", tmp_path / "mirror"
    folder.mkdir()
    mirror.mkdir()
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (mirror / "rows.jsonl").write_bytes(lines)
    sha256 = digest if digest is not None else hashlib.sha256(lines).hexdigest()
    (folder / "data.toml").write_text(
        'title = "Mine"\nlicence = "MIT"\nsource = "here"\nsplits = ["test"]\n\n[[data]]\n'
        'kind = "file"\npath = "none.jsonl"\nconverter = "mbpp-jsonl-v1"\n'
        + (f'rows_sha256 = "{sha256}"\n' if sha256 else "")
    )
    return folder, mirror


def test_rows_become_tasks(tmp_path: Path) -> None:
    left_out = {**MBPP, "task_id": 700, "split": "train"}
    folder, mirror = pinned(tmp_path, HUMANEVAL, MBPP, left_out)
    suite = borrowed_suite(folder, mirror=mirror, cache=tmp_path / "cache")
    assert (suite.name, suite.title, suite.licence, suite.least_mutants) == (
        "mine", "Mine", "MIT", 0,
    )  # fmt: skip
    first, second = suite.tasks
    assert (first.id, first.cluster, first.runs_on) == ("humaneval/0", "humaneval/half", None)
    assert first.reference[0].text.endswith("return n / 2\n")
    assert first.behaviour.options["names"] == ["half"]
    assert first.date < second.date < "2022"
    assert second.question.endswith("the whole file `solution.py` in one fenced code block.")
    assert "assert double(2) == 4" in second.question
    assert first.title == "half (humaneval/0)"


def test_rows_that_are_not_there_or_not_pinned(tmp_path: Path) -> None:
    folder, mirror = pinned(tmp_path, MBPP, digest="0" * 64)
    with pytest.raises(InputError):
        borrowed_suite(folder, mirror=mirror, cache=tmp_path / "cache")
    (folder / "data.toml").write_text(
        (folder / "data.toml").read_text().replace(f'rows_sha256 = "{"0" * 64}"\n', "")
    )
    with pytest.raises(InternalError):
        borrowed_suite(folder, mirror=mirror, cache=tmp_path / "cache")


def test_the_packaged_pins_are_whole() -> None:
    pins = tomllib.loads((PACKAGED / "data.toml").read_text())
    parts = [DataPart.model_validate(one) for one in pins["data"]]
    assert [part.converter for part in parts] == ["humaneval-jsonl-gz-v1", "mbpp-jsonl-v1"]
    for part in parts:
        assert part.rows_sha256
        assert len(part.commit or "") == 40
        assert all(file.sha256 for file in part.files)


PROMPTED = Path(metier.__file__).parent / "suites" / "svelte-bench"


def test_prompts_become_tasks_with_the_behaviour_beside_the_pins(tmp_path: Path) -> None:
    folder, mirror = tmp_path / "mine", tmp_path / "mirror"
    folder.mkdir()
    mirror.mkdir()
    names = sorted(path.stem for path in PROMPTED.glob("*.toml") if path.stem != "data")
    prompts = json.dumps({name: f"Write {name}." for name in names}).encode()
    (mirror / "prompts.json").write_bytes(prompts)
    pins = (PROMPTED / "data.toml").read_text("utf-8")
    told = tomllib.loads(pins)["data"][0]["rows_sha256"]
    (folder / "data.toml").write_text(pins.replace(told, hashlib.sha256(prompts).hexdigest()))
    for name in names:
        (folder / f"{name}.toml").write_bytes((PROMPTED / f"{name}.toml").read_bytes())
    suite = prompted_suite(folder, mirror=mirror, cache=tmp_path / "cache")
    assert len(names) == 9
    assert [task.id for task in suite.tasks] == [name for name in names if name != "inspect"]
    first = suite.tasks[0]
    assert first.question.startswith("Write counter.")
    assert (first.cluster, first.date, first.runs_on) == ("counter", "2025-05-03", "svelte@5")
    assert first.writes == ("Answer.svelte",)


def test_prompts_without_a_digest_are_refused(tmp_path: Path) -> None:
    pins = (PROMPTED / "data.toml").read_text("utf-8")
    kept = [line for line in pins.splitlines() if not line.startswith("rows_sha256")]
    (tmp_path / "data.toml").write_text("\n".join(kept))
    with pytest.raises(InternalError):
        prompted_suite(tmp_path, mirror=None, cache=tmp_path / "cache")
