"""Chat specialists: what stands behind a name, with a base, without one, and with parts missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import talking
from metier.assembly import Metier
from metier.coding import SourceFile
from metier.conversing import Manner, Sampling, Step, Turn
from metier.errors import InputError, MetierError, NotFoundError

QUESTION = [Turn("user", "How do I sort a list?")]
BROKEN = [SourceFile("double.py", talking.WRONG)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    talking.bring_plugins(tmp_path / "points", monkeypatch)
    return tmp_path / "home"


@pytest.fixture
def metier(home: Path) -> Iterator[Metier]:
    opened = talking.opened(home)
    yield opened
    opened.close()


def test_without_a_base_the_documents_answer(metier: Metier) -> None:
    reply = metier.answer("helper", QUESTION)
    assert reply.base is None
    assert reply.passages[0].title == "Lists"
    assert "some-model" in reply.text, "it says which bases to get"
    assert [step.kind for step in reply.trace] == ["retrieve"]


def test_without_a_base_pasted_code_is_checked(metier: Metier) -> None:
    reply = metier.answer("helper", [Turn("user", talking.block(talking.WRONG))])
    assert reply.checked is False
    assert reply.diagnostics[0].severity == "error"


def test_a_base_writes_and_its_answer_is_repaired(metier: Metier, home: Path) -> None:
    steps: list[Step] = []
    script = (talking.block("def f(:\n"), talking.block(talking.RIGHT))
    with talking.serving(home, *script) as seen:
        reply = metier.answer("helper", QUESTION, base="remote:mine", on_step=steps.append)
    assert reply.base == "remote:mine"
    assert reply.checked is True
    assert reply.files[0].text.strip() == talking.RIGHT.strip()
    assert [step.kind for step in steps] == [step.kind for step in reply.trace]
    system = seen.bodies[0]["messages"][0]["content"]
    assert "You write Python." in system
    assert "sorted(items)" in seen.bodies[0]["messages"][-1]["content"]


def test_the_manner_changes_this_answer_only(metier: Metier, home: Path) -> None:
    with talking.serving(home, talking.block(talking.WRONG)) as seen:
        manner = Manner(documents=False, tools=False, repairs=0)
        reply = metier.answer(
            "helper",
            QUESTION,
            base="remote:mine",
            manner=manner,
            sampling=Sampling(temperature=0.7),
        )
    assert reply.checked is None
    assert reply.passages == ()
    assert len(seen.bodies) == 1
    assert seen.bodies[0]["temperature"] == 0.7
    assert "sorted(items)" not in seen.bodies[0]["messages"][-1]["content"]


def test_the_settings_name_a_base_for_all(home: Path) -> None:
    metier = talking.opened(home, base="remote:mine")
    with talking.serving(home, "Call sorted."):
        assert metier.answer("helper", QUESTION).base == "remote:mine"
    assert "base" not in {lack.kind for lack in metier.lacks("helper")}
    metier.close()


def test_recorded_answers_serve_nobody(metier: Metier) -> None:
    with pytest.raises(InputError) as caught:
        metier.answer("helper", QUESTION, base="replay:answers.jsonl")
    assert caught.value.code == "not_servable"


def test_files_are_checked_explained_and_repaired(metier: Metier) -> None:
    checked = metier.check("helper", BROKEN)
    assert not checked.ok
    ((item, passages), *_) = metier.explain("helper", BROKEN)
    assert item.path == "double.py"
    assert "errors.md" in {passage.path for passage in passages}
    assert metier.check("helper", [SourceFile("double.py", talking.RIGHT)]).ok
    assert metier.repair("helper", [SourceFile("double.py", talking.RIGHT)]) is None


def test_a_tool_that_migrates_nothing_says_so(metier: Metier) -> None:
    with pytest.raises(InputError) as caught:
        metier.migrate("helper", BROKEN)
    assert caught.value.code == "no_migration"


def test_what_is_missing_comes_with_the_command_that_mends_it(home: Path) -> None:
    metier = talking.opened(home, pack=False)
    lacks = {lack.kind: lack for lack in metier.lacks("helper")}
    assert lacks.keys() == {"pack", "base"}
    assert lacks["pack"].command == "metier make notes"
    assert metier.answer("helper", QUESTION).passages == ()
    with pytest.raises(NotFoundError) as caught:
        metier.search("helper", "sorting")
    assert caught.value.code == "no_pack"
    metier.close()


def test_toolchains_that_are_not_installed_are_named(metier: Metier, home: Path) -> None:
    metier.make(metier.packaged_recipe("sveltekit"), folder=home)
    lacks = [lack for lack in metier.lacks("sveltekit") if lack.kind in ("node", "toolchain")]
    commands = {lack.command for lack in lacks}
    assert "metier doctor --install svelte@5" in commands or lacks[0].kind == "node"
    with pytest.raises(MetierError) as caught:
        metier.check("sveltekit", [SourceFile("A.svelte", "<p>x</p>")])
    assert caught.value.code in ("no_toolchain", "no_node")


def test_other_specialists_do_not_converse(metier: Metier) -> None:
    with pytest.raises(InputError) as caught:
        metier.answer("notes", QUESTION)
    assert caught.value.code == "not_a_chat_specialist"


def test_the_first_tool_that_takes_a_file_checks_it(metier: Metier, home: Path) -> None:
    recipe = metier.packaged_recipe("coder")
    metier.make(recipe, folder=home)
    assert not metier.check("coder", BROKEN).ok
