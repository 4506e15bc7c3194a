"""A chat specialist on the command line: the real façade, tool and pack, and a scripted base."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import talking
from metier.assembly import Metier
from metier.cli import main
from metier.cli.session import Session

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    talking.bring_plugins(tmp_path / "points", monkeypatch)
    project = tmp_path / "project"
    project.mkdir()
    (project / "double.py").write_text(talking.WRONG)
    (project / "import.py").write_text("def now():\n    return math.pi\n")
    monkeypatch.chdir(project)
    return tmp_path / "home"


@pytest.fixture
def metier(home: Path) -> Iterator[Metier]:
    opened = talking.opened(home)
    yield opened
    opened.close()


@pytest.fixture
def run(metier: Metier, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def command(*words: str, stdin: str | None = None) -> tuple[int, str, str]:
        capsys.readouterr()
        source = io.StringIO(stdin or "")
        monkeypatch.setattr(source, "isatty", lambda: stdin is None)
        monkeypatch.setattr(sys, "stdin", source)
        with pytest.raises(SystemExit) as ended:
            main(("run", "helper", *words), obj=Session(lambda: metier))
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return command


def test_a_question_without_a_base_is_passages_and_bases(run: Run) -> None:
    code, out, err = run("how", "do", "I", "sort", "a", "list?")
    assert code == 0
    assert out.startswith("[1] Lists")
    assert "documents, lists.md" in out
    assert "No base is named" in err
    assert "some-model" in err
    assert "services.toml" in err


def test_a_question_over_a_base_is_its_answer_and_one_line(run: Run, home: Path) -> None:
    with talking.serving(home, talking.block(talking.RIGHT)):
        code, out, err = run("sort a list", "--base", "remote:mine")
    assert code == 0
    assert "def double(a):" in out
    assert "Read in the documents" in out
    assert "1 draft · passes its check" in err
    assert err.count("\n") == 1


def test_the_trace_and_the_first_draft(run: Run, home: Path) -> None:
    script = (talking.block("def double(a:\n"), talking.block(talking.RIGHT))
    with talking.serving(home, *script):
        code, out, err = run("double it", "--base", "remote:mine", "--first-draft", "--trace")
    assert code == 0
    assert out.index("def double(a:\n") < out.index("def double(a):")
    assert "generate" in err
    assert "repair" in err


def test_an_answer_that_does_not_pass_is_exit_code_one(run: Run, home: Path) -> None:
    with talking.serving(home, talking.block("def f(:\n"), talking.block("def f(:\n")):
        code, out, _ = run("double it", "--base", "remote:mine")
    assert code == 1
    assert "does not pass its check" in out


def test_json_is_one_document(run: Run, home: Path) -> None:
    with talking.serving(home, talking.block(talking.RIGHT)):
        code, out, err = run("double it", "--base", "remote:mine", "--json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert document["base"] == "remote:mine"
    assert document["checked"] is True
    assert next(step["kind"] for step in document["trace"]) == "retrieve"


def test_stdin_is_one_question(run: Run) -> None:
    code, out, _ = run(stdin=talking.block(talking.WRONG))
    assert code == 1
    assert "1 error" in out


def test_files_are_checked_with_documents_and_the_next_command(run: Run) -> None:
    code, out, err = run("--file", "double.py", "--no-docs")
    assert code == 1
    assert out.startswith("double.py  1 error")
    assert "^" in out
    assert "No rule mends this" in err


def test_a_rule_mends_shows_the_diff_and_writes_only_when_told(run: Run) -> None:
    before = Path("import.py").read_text()
    code, out, err = run("--file", "import.py")
    assert code == 1
    assert "+import math" in out
    assert "--file import.py --write" in err
    assert Path("import.py").read_text() == before
    code, _, err = run("--file", "import.py", "--write")
    assert code == 0
    assert err == "Written: import.py.\n"
    assert "import math" in Path("import.py").read_text()
    assert run("--file", "import.py")[0] == 0


def test_what_rules_leave_a_base_may_mend(run: Run, home: Path) -> None:
    with talking.serving(home, talking.block(talking.RIGHT, "double.py")):
        code, out, err = run("--file", "double.py", "--base", "remote:mine", "--write")
    assert code == 0
    assert "Repair by remote:mine" in out
    assert "+def double(a):" in out
    assert Path("double.py").read_text() == talking.RIGHT
    assert "Written: double.py" in err


def test_files_as_json(run: Run) -> None:
    document: dict[str, Any] = json.loads(run("--file", "import.py", "--json")[1])
    assert document["ok"] is False
    assert document["repair"]["ok"] is True
    assert "import math" in document["repair"]["files"][0]["text"]
    assert document["written"] == []
    assert document["diagnostics"][0]["path"] == "import.py"


def test_a_question_about_a_file_carries_it(run: Run, home: Path) -> None:
    with talking.serving(home, "It lacks a bracket.") as seen:
        code, out, _ = run("what is wrong?", "--file", "double.py", "--base", "remote:mine")
    assert code == 0
    assert "It lacks a bracket." in out
    assert talking.WRONG in seen.bodies[0]["messages"][-1]["content"]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("x", "--base", "replay:a.jsonl"), 2, "recorded"),
        (("x", "--base", "remote:absent"), 2, "no remote service"),
        (("--file", "absent.py"), 2, "absent.py"),
        (("--migrate",), 2, "nothing to answer"),
        (("--migrate", "--file", "double.py"), 2, "migrates nothing"),
        (("x", "--top", "3"), 2, "--top"),
        ((), 2, "nothing to answer"),
    ],
)
def test_wrong_words_are_input(run: Run, words: tuple[str, ...], code: int, told: str) -> None:
    ended, _, err = run(*words)
    assert ended == code
    assert told in err


def test_an_answer_cannot_drive_the_terminal(run: Run, home: Path) -> None:
    with talking.serving(home, "\x1b]0;owned\x07 plain"):
        out = run("x", "--base", "remote:mine")[1]
    assert "\x1b" not in out
    assert "plain" in out
