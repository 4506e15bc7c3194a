"""``metier route`` and ``metier run auto`` over a real fleet."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tiny_gguf
import workshop
from metier.assembly import Metier
from metier.cli import main
from metier.cli.session import Session
from routed_fleet import ELSEWHERE, GENERAL_SAYS, OF_PYTHON, Fleet

GENERAL = "remote:general"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def nothing_is_piped_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))


@pytest.fixture
def copy(routed: Fleet, tmp_path: Path) -> Iterator[Metier]:
    metier = routed.copied(tmp_path)
    yield metier
    metier.close()


@pytest.fixture
def run(copy: Metier, capsys: pytest.CaptureFixture[str]) -> Run:
    return lambda *words: ran(copy, capsys, *words)


def ran(metier: Metier, capsys: Any, *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(list(words), obj=Session(lambda: metier))
    said = capsys.readouterr()
    return int(caught.value.code or 0), said.out, said.err


def test_who_why_and_who_is_next(run: Run) -> None:
    code, said, _ = run("route", OF_PYTHON)
    assert code == 0
    first, *rest = said.splitlines()
    assert first == "helper"
    assert any("python" in line for line in rest)
    assert f"Next: {GENERAL}." in rest
    assert "Refused" not in said


def test_explained(run: Run) -> None:
    code, said, _ = run("route", *ELSEWHERE.split(), "--explain")
    assert code == 0
    assert said.splitlines()[0] == GENERAL
    assert "It looks like (threshold" in said
    assert "no domain" in said
    assert "tokens at most" in said


def test_as_json(run: Run) -> None:
    code, said, _ = run("route", OF_PYTHON, "--json")
    document = json.loads(said)
    assert code == 0
    assert document["chosen"] == "helper"
    assert document["general"]["name"] == GENERAL
    assert {one["name"] for one in document["candidates"]} == {"helper", GENERAL}
    assert OF_PYTHON not in said


def test_wishes_and_a_file(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "asked.txt").write_text(OF_PYTHON)
    assert run("route", "--file", str(tmp_path / "asked.txt"))[1].startswith("helper")
    assert run("route", ELSEWHERE, "--domain", "python")[1].startswith("helper")
    assert run("route", OF_PYTHON, "--not", "helper")[1].startswith(GENERAL)
    assert run("route", OF_PYTHON, "--to", GENERAL)[1].startswith(GENERAL)
    monkeypatch.setattr(sys, "stdin", io.StringIO(OF_PYTHON))
    assert run("route", "--task", "chat")[1].startswith("helper")
    code, said, _ = run("route", ELSEWHERE, "--most-cost", "8 GB", "--explain")
    assert code == 1
    assert said.startswith("nobody")
    assert "costs more" in said


def test_a_picture(run: Run, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 20)
    code, said, _ = run("route", "what is it", "--image", str(picture))
    assert code == 1
    assert "metier pull" in said


def test_what_is_missing_is_the_users(run: Run, tmp_path: Path) -> None:
    assert run("route", " ")[0] == 2
    assert run("route", "a", "--file", str(tmp_path / "b"))[0] == 2
    assert run("route", "--file", str(tmp_path / "b"))[0] == 2
    assert run("route", "a", "--domain", "cooking")[0] == 2
    assert run("route", "--replay", str(tmp_path / "none"))[0] == 2


def test_replay(run: Run, copy: Metier, tmp_path: Path) -> None:
    for text in (OF_PYTHON, ELSEWHERE):
        run("route", text)
    code, said, _ = run("route", "--replay")
    assert (code, said) == (0, "2 of 2 decisions came out byte for byte.\n")
    log = copy.settings.home / "routes" / "decisions.jsonl"
    changed = tmp_path / "changed.jsonl"
    changed.write_text(log.read_text().replace('"chosen":"helper"', '"chosen":"x"'))
    code, said, wrong = run("route", "--replay", str(changed))
    assert code == 1
    assert "came out otherwise" in said
    assert "do not agree" in wrong
    code, said, _ = run("route", "--replay", str(changed), "--json")
    assert code == 1
    assert json.loads(said)["passed"] is False


def test_run_auto_says_who_answers(run: Run) -> None:
    code, said, told = run("run", "auto", ELSEWHERE)
    assert code == 0
    assert said.strip() == GENERAL_SAYS
    assert told.startswith(f"{GENERAL}: ")
    code, said, told = run("run", "auto:python", OF_PYTHON)
    assert "def add_n0" in said
    assert told.startswith("helper: ")
    assert json.loads(run("run", "auto", ELSEWHERE, "--json")[1])["name"] == "auto"
    assert run("run", "auto", ELSEWHERE, "--migrate")[0] == 2


def test_run_auto_talks(
    run: Run, copy: Metier, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from metier.cli import chatting

    class Keyboard(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Keyboard())
    typed = iter([ELSEWHERE, "/bye"])
    monkeypatch.setattr(chatting, "keyboard", lambda *_: lambda _: next(typed))
    code, said, _ = run("run", "auto")
    assert code == 0
    assert GENERAL_SAYS in said


def test_without_anybody_it_says_what_to_pull(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metier = workshop.opened(tmp_path / "home", base=False)
    code, said, _ = ran(metier, capsys, "route", "hello")
    assert code == 1
    assert said.startswith("nobody")
    assert "metier pull hf.co/" in said
    code, _, wrong = ran(metier, capsys, "run", "auto", "hello")
    assert code == 3
    assert "metier pull hf.co/" in wrong
    metier.close()


def test_run_auto_with_a_tiny_model(
    routed: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metier = routed.copied(tmp_path, general_url=None, general_model=None)
    metier.fleet.import_gguf(tiny_gguf.tiny_model(tmp_path), "tiny")
    code, _, told = ran(metier, capsys, "run", "auto", ELSEWHERE, "--tokens", "3")
    assert code == 0
    assert told.startswith("tiny: ")
    metier.close()
