"""Executed evals by name or folder, and their self-test."""

from pathlib import Path

import pytest

import metier
from judging import WordTool, suite
from metier.errors import InputError, NotFoundError
from metier.examine.bases import BaseExaminer

SUITES = Path(metier.__file__).parent / "suites"
TASK = """
id = "hello"
title = "A greeting"
cluster = "greetings"
prompt = "Write the word hello."
behaviour = { kind = "words", steps = [{ has = "hello" }] }
reference = { "answer.txt" = "hello you" }
mutants = [
  { why = "another word", find = "hello", replace = "goodbye" },
]
"""


def examiner(
    home: Path, tool: WordTool | None = None, scribes: Mapping[str, Scribe] | None = None
) -> BaseExaminer:
    judge = tool or WordTool()
    known = scribes or {}

    def entrant(name: str, base: str, parts: tuple[str, ...], samples: int) -> Entrant:
        if base not in known:
            raise NotFoundError(f"There is no base {base!r}.", code="no_base")
        return known[base].entrant(parts, samples=samples)

    return BaseExaminer(
        suites=SUITES,
        home=home,
        tools=lambda _name, _chain: judge,
        entrant=entrant,
        specialist_digest=lambda _name: "sha256:" + "5" * 64,
        sandbox=lambda: "bubblewrap",
        today="2026-11-23",
        machine={"cores": 2},
        version="0.0",
        made={"python": lambda: suite(name="python")},
    )


def my_tasks(folder: Path) -> Path:
    folder.mkdir()
    header = 'title = "Mine"\nlicence = "MIT"\ntool = "words"\ndate = 2026-11-23\n'
    (folder / "suite.toml").write_text(header)
    (folder / "hello.toml").write_text(TASK)
    return folder


def test_evals_by_name_and_by_folder(tmp_path: Path) -> None:
    known = examiner(tmp_path)
    assert known.names() == ["python", "react", "svelte"]
    assert known.suite_of("svelte").name == "svelte"
    assert known.suite_of("python").name == "python"
    mine = my_tasks(tmp_path / "mine")
    assert known.suite_of(str(mine)).name == "mine"
    assert known.holds("svelte")
    assert known.holds("python")
    assert known.holds(str(mine))
    assert not known.holds(str(tmp_path))


@pytest.mark.parametrize("name", ["svelt", "", "nothing-like-it"])
def test_a_name_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        examiner(tmp_path).suite_of(name)
    assert caught.value.code == "no_eval"
    assert "python, react, svelte" in str(caught.value.remedy)
    if name == "svelt":
        assert "Did you mean svelte?" in caught.value.message


def test_a_folder_of_the_users_is_checked(tmp_path: Path) -> None:
    mine = my_tasks(tmp_path / "mine")
    tool = WordTool()
    known = examiner(tmp_path, tool)
    found = known.check(str(mine))
    assert not found.sound
    assert found.few_mutants == {"hello": 1}
    assert found.survivors == ()
    known.check(str(mine))
    assert len(tool.judged) == 2
    known.check(str(mine), fresh=True)
    assert len(tool.judged) == 4
    (mine / "hello.toml").write_text(TASK.replace("prompt", "promt"))
    with pytest.raises(InputError, match=r"hello.toml: promt: there is no such field"):
        known.check(str(mine))
