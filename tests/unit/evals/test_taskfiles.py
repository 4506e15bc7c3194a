"""Reading suites: the file and the field that are wrong are named."""

from pathlib import Path

import pytest

import metier
from metier.errors import InputError, NotFoundError, StorageError
from metier.evals.taskfiles import read_suite, read_task
from metier.evals.tasks import ENOUGH_MUTANTS

SUITES = Path(metier.__file__).parent / "suites"
HEADER = 'title = "Mine"\nlicence = "MIT"\ntool = "svelte"\ndate = 2026-11-23\n'
TASK = '''
id = "greet"
title = "A greeting"
cluster = "props"
toolchains = ["svelte@5"]
prompt = "Write Hello.svelte."

[behaviour]
kind = "dom"
steps = [{ mount = { name = "Ada" } }, { expect = "h1", text = "Hello Ada" }]

[behaviour.given]
"lib/a.js" = "export const a = 1;"

[behaviour.options]
clock = "fake"

[reference]
"Hello.svelte" = """<script>let { name } = $props();</script><h1>Hello {name}</h1>"""

[[mutants]]
why = "No name."
find = "Hello {name}"
replace = "Hello"

[[mutants]]
why = "Nothing."
files = { "Hello.svelte" = "<p></p>" }
'''


def folder(tmp_path: Path, text: str = TASK, header: str = HEADER) -> Path:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "suite.toml").write_text(header)
    (tmp_path / "mine" / "greet.toml").write_text(text)
    return tmp_path / "mine"


def test_a_folder_is_a_suite(tmp_path: Path) -> None:
    suite = read_suite(folder(tmp_path))
    assert (suite.name, suite.title, suite.licence) == ("mine", "Mine", "MIT")
    assert suite.least_mutants == ENOUGH_MUTANTS
    (task,) = suite.tasks
    assert (task.id, task.date, task.tool) == ("greet", "2026-11-23", "svelte")
    assert task.entry == "Hello.svelte"
    assert task.behaviour.given == {"lib/a.js": "export const a = 1;"}
    assert task.behaviour.options == {"clock": "fake", "answer": ["Hello.svelte"]}
    assert task.behaviour.steps[1] == {"expect": "h1", "text": "Hello Ada"}
    assert [mutant.why for mutant in task.mutants] == ["No name.", "Nothing."]
    assert task.mutants[0].files[0].text.endswith("<h1>Hello</h1>")


@pytest.mark.parametrize("name", ["svelte", "react"])
def test_the_packaged_suites_can_be_read(name: str) -> None:
    header = (SUITES / name / "suite.toml").read_text()
    assert "metier.suite/1" in header
    for path in (SUITES / name).glob("*.toml"):
        if path.name != "suite.toml":
            suite = read_suite(SUITES / name)
            task = next(one for one in suite.tasks if one.id == path.stem)
            assert len(task.mutants) >= ENOUGH_MUTANTS, path


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "greet"', 'id = "other"', "id: it is 'other', but the file is called 'greet.toml'"),
        ('cluster = "props"\n', "", "cluster: it is missing, empty or not text"),
        ('title = "A greeting"', "title = 3", "title: it is missing, empty or not text"),
        ('kind = "dom"', 'kind = "dom"\nsort = 1', "behaviour.sort: there is no such field"),
        ('id = "greet"', 'id = "greet"\nreward = 1', "reward: there is no such field"),
        ('id = "greet"', 'id = "greet"\nformat = "x/2"', "format: it is 'x/2'"),
        ('Hello {name}"\n', 'Goodbye"\n', "mutants[1].find: 'Goodbye' occurs 0 times"),
        ('find = "Hello {name}"', 'find = "e"', "times in Hello.svelte, not once"),
        ('replace = "Hello"', 'insert = "x"', "mutants[1].insert: there is no such field"),
        ('replace = "Hello"', 'file = "a"\nreplace = "x"', "mutants[1].file: it has to name one"),
        ('why = "No name."\n', "", "mutants[1].why: it is missing"),
        ('files = { "Hello.svelte" = "<p></p>" }', "", "mutants[2]: it needs either find"),
        (
            'kind = "dom"',
            'kind = "dom"\nanswer = ["B.svelte"]',
            "is in one of answer and reference",
        ),
        ("[behaviour]", "[behaving]", "behaving: there is no such field"),
        ('toolchains = ["svelte@5"]', 'toolchains = "svelte@5"', "toolchains: it is not a list"),
        ("steps = [{", "steps = [[{", "is not TOML"),
        ('id = "greet"', 'id = "greet"\ndate = 5', "date: it is missing: write the day like"),
        ('"lib/a.js" =', '"../a.js" =', "given: '../a.js' is not a relative path"),
    ],
)
def test_file_and_field_are_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in TASK
    with pytest.raises(InputError) as caught:
        read_suite(folder(tmp_path, TASK.replace(old, new)))
    assert caught.value.code == "bad_task"
    assert "greet.toml: " in caught.value.message or "greet.toml is not" in caught.value.message
    assert caught.value.message.count("greet.toml") <= 2
    assert said in caught.value.message
    assert caught.value.remedy


def test_a_task_without_steps_is_refused(tmp_path: Path) -> None:
    text = TASK.replace(TASK[TASK.index("steps = ") : TASK.index("[behaviour.given]")], "")
    with pytest.raises(InputError, match="every answer that loads would pass"):
        read_suite(folder(tmp_path, text))


def test_a_folder_without_a_header_is_no_suite(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        read_suite(tmp_path)
    assert caught.value.code == "no_suite"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ('title = "x"\n', "licence: it is missing"),
        (HEADER + "colour = 1\n", "colour: there is no such field"),
        ("title = ", "is not TOML"),
    ],
)
def test_a_wrong_header_is_named(tmp_path: Path, header: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_suite(folder(tmp_path, header=header))
    assert caught.value.code == "bad_suite"
    assert "suite.toml" in caught.value.message
    assert said in caught.value.message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        read_task(tmp_path / "none.toml")
    (tmp_path / "long.toml").write_text("#" * 1_000_001)
    with pytest.raises(InputError, match="longer than 1,000,000 bytes"):
        read_task(tmp_path / "long.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(InputError, match="is not TOML in UTF-8"):
        read_task(tmp_path / "bytes.toml")
