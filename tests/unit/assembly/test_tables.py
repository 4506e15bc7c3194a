"""Executed evals end to end: a service on the loopback, the real policy, the real Python tool.

The service is scripted, so what is scored here says nothing of any model.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from metier.assembly import Metier
from metier.assembly.measuring import standings_of
from metier.errors import InputError, NotFoundError
from metier.recipe import ChatRecipe
from metier.settings import Settings
from scripted import Scripted, Seen, said, service
from sums import needs_a_sandbox, write_tasks

RECIPE = """
[specialist]
name = "helper"
task = "chat"
domain = "python"

[answer]
prompt = "You write Python."
tools = ["python"]
repairs = 1

[eval]
names = ["python"]
"""
NAMES = ("one", "two", "six")


def writes(body: dict) -> Scripted:
    """Knows ``one``; leaves a bracket open in ``two`` until it is told; gets ``six`` wrong."""
    asked = "\n".join(str(message["content"]) for message in body["messages"])
    name = next(one for one in NAMES if f"add_{one}" in asked)
    told = len(body["messages"]) > 2 and body["messages"][-2]["role"] == "assistant"
    end = "a + b" if name == "one" or (name == "two" and told) else "a - b"
    opening = "(a, b" if name == "two" and not told else "(a, b)"
    return said(f"Here it is.\n\n```python\ndef add_{name}{opening}:\n    return {end}\n```\n")


@pytest.fixture
def metier(tmp_path: Path) -> Iterator[tuple[Metier, Seen, Path]]:
    tasks = write_tasks(tmp_path, NAMES)
    home = tmp_path / "home"
    home.mkdir()
    with service() as seen:
        seen.always = writes
        (home / "services.toml").write_text(
            f'[mine]\nurl = "{seen.service.url}"\nmodel = "big-model"\n'
        )
        (home / "prices.toml").write_text('["big-model"]\nin = 1.0\nout = 5.0\n')
        opened = Metier.open(Settings(home=home))
        opened.make(ChatRecipe.from_toml(RECIPE), folder=tmp_path)
        yield opened, seen, tasks
        opened.close()


@needs_a_sandbox
def test_what_tools_add_to_a_base(metier: tuple[Metier, Seen, Path]) -> None:
    opened, seen, tasks = metier
    found = opened.tables.evaluate("helper", on=str(tasks), bases=["remote:mine"], with_=("tools",))
    alone, helped = found.table.entries
    outcomes = [{item.id: item.outcome for item in entry.result.items} for entry in (alone, helped)]
    assert outcomes == [
        {"one": 1.0, "two": 0.0, "six": 0.0},
        {"one": 1.0, "two": 1.0, "six": 0.0},
    ]
    assert (alone.cost_class, alone.recorded) == ("remote, about 3 per million tokens", False)
    assert alone.spent["one"] == pytest.approx((50 * 1.0 + 5 * 5.0) / 1e6)
    assert alone.settings["temperature"] == 0.0
    assert set(helped.settings["tools"]) == {"python"}
    assert found.table.toolchain["sandbox"] in ("bubblewrap", "landlock")
    assert found.table.command == ("metier eval helper --on tasks --base remote:mine --with tools")
    assert str(tasks.parent) not in found.path.read_text(), "a shared file names no folder"
    assert "big-model" not in json.dumps(found.table.machine)
    calls = len(seen.bodies)
    again = opened.tables.evaluate("helper", on=str(tasks), bases=["remote:mine"], with_=("tools",))
    assert again.path == found.path
    assert len(seen.bodies) == calls
    (standing,) = opened.tables.standings("helper")
    assert (standing.base, standing.parts, standing.n) == ("remote:mine", ("tools",), 3)
    assert standings_of(opened.ledger, "nobody") == []
    (choice,) = opened.bases("helper")
    assert choice.on == "tasks"
    assert choice.score is not None
    assert choice.score.value == pytest.approx(2 / 3)
    assert opened.tables.verify(found.path, on=str(tasks)).same


@needs_a_sandbox
def test_recorded_answers_are_plumbing(metier: tuple[Metier, Seen, Path], tmp_path: Path) -> None:
    opened, seen, tasks = metier
    right = "```python\ndef add_one(a, b):\n    return a + b\n```"
    lines = [{"task": "one", "text": text} for text in ("no code", right)]
    lines.append({"prompt": "Write add_two(a, b).", "text": right.replace("one", "two")})
    recorded = tmp_path / "old.jsonl"
    recorded.write_text("\n".join(json.dumps(line) for line in lines))
    found = opened.tables.evaluate(
        "helper", on=str(tasks), bases=[f"replay:{recorded}"], with_=(), samples=2
    )
    (entry,) = found.table.entries
    assert entry.recorded
    assert (entry.base, entry.cost_class) == ("replay:old.jsonl", "recorded")
    assert {item.id: item.outcome for item in entry.result.items} == {
        "one#1": 0.0,
        "one#2": 1.0,
        "two#1": 1.0,
        "two#2": "unscored",
        "six#1": "unscored",
        "six#2": "unscored",
    }
    assert found.findings.notes[0].startswith("Recorded answers: plumbing")
    assert not opened.ledger.rows("evidence", "helper")
    assert opened.tables.standings("helper")[0].recorded
    assert seen.bodies == []


@needs_a_sandbox
def test_the_self_test_of_a_folder(metier: tuple[Metier, Seen, Path]) -> None:
    opened, _, tasks = metier
    found = opened.check_eval(str(tasks))
    assert (found["tasks"], found["mutants"], found["frozen"]) == (3, 3, ())
    assert found["survivors"] == ()
    assert set(found["few_mutants"]) == set(NAMES)


def test_parts_that_it_does_not_have(metier: tuple[Metier, Seen, Path]) -> None:
    opened, _, tasks = metier
    for with_, error, code in (
        (("docs",), NotFoundError, "no_pack"),
        (("magic",), InputError, "no_part"),
    ):
        with pytest.raises(error) as caught:
            opened.tables.evaluate("helper", on=str(tasks), bases=["remote:mine"], with_=with_)
        assert caught.value.code == code
    with pytest.raises(NotFoundError) as caught:
        opened.tables.evaluate("helper", on=str(tasks), bases=["remote:nobody"], with_=())
    assert caught.value.code == "no_service"
