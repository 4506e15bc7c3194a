"""A chat specialist's proof: its own tools over its own base, executed here, while they last.

The base is a loopback service that leaves a bracket open until it is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from metier import Metier
from metier.errors import InputError
from metier.finding import Hit
from metier.recipe import ChatRecipe
from metier.settings import Settings
from scripted import Scripted, Seen, said, service
from sums import NAMES, RECIPE, needs_a_sandbox, write_tasks


def forgets_brackets(body: dict) -> Scripted:
    """Leaves the bracket open until it is told; ``big-model`` subtracts, whatever it is told."""
    asked = "\n".join(str(message["content"]) for message in body["messages"])
    name = next(one for one in NAMES if f"add_{one}(" in asked)
    told = len(body["messages"]) > 2 and body["messages"][-2]["role"] == "assistant"
    end = "a - b" if body["model"] == "general-model" else "a + b"
    closing = ")" if told or body["model"] == "general-model" else ""
    return said(f"```python\ndef add_{name}(a, b{closing}:\n    return {end}\n```\n")


@pytest.fixture
def metier(tmp_path: Path) -> Iterator[tuple[Metier, Seen, Path]]:
    tasks = write_tasks(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    with service() as seen:
        seen.always = forgets_brackets
        (home / "services.toml").write_text(written(seen, "small-model"))
        settings = Settings(home=home, general_url=seen.service.url, general_model="general-model")
        opened = Metier.open(settings)
        opened.make(ChatRecipe.from_toml(RECIPE), folder=tmp_path)
        yield opened, seen, tasks
        opened.close()


def written(seen: Seen, model: str) -> str:
    return f'[mine]\nurl = "{seen.service.url}"\nmodel = "{model}"\n'


def entry(metier: Metier) -> Hit:
    return metier.entry("here", "helper")


@needs_a_sandbox
def test_a_chat_specialist_holds_a_proof(metier: tuple[Metier, Seen, Path]) -> None:
    opened, seen, tasks = metier
    assert entry(opened).proof is None
    opened.tables.evaluate(
        "helper", on=str(tasks), bases=["remote:mine"], with_=("tools",), against=["general"]
    )
    hit = entry(opened)
    assert hit.proof is not None
    assert hit.proof.evidence.against == "general"
    assert hit.proof.evidence.score.value == 1.0
    assert hit.verdicts == {"base": "WIN", "general": "WIN"}
    assert set(hit.verdict_sources.values()) == {"here"}
    (opened.settings.home / "services.toml").write_text(written(seen, "another-model"))
    hit = entry(opened)
    assert hit.proof is None
    assert any("another base" in reason.said for reason in hit.reasons)


@needs_a_sandbox
def test_another_prompt_is_another_system(metier: tuple[Metier, Seen, Path]) -> None:
    opened, _, tasks = metier
    opened.tables.evaluate("helper", on=str(tasks), bases=["remote:mine"], with_=("tools",))
    assert entry(opened).proof is not None
    before = opened.tables.binding.system_of("helper")
    opened.make(ChatRecipe.from_toml(RECIPE.replace("You write", "Write")), folder=tasks)
    assert opened.tables.binding.system_of("helper") != before
    assert entry(opened).proof is None


@needs_a_sandbox
def test_recorded_answers_prove_nothing(metier: tuple[Metier, Seen, Path], tmp_path: Path) -> None:
    opened, _, tasks = metier
    recorded = tmp_path / "old.jsonl"
    recorded.write_text('{"task": "n0", "text": "none"}\n')
    opened.tables.evaluate("helper", on=str(tasks), bases=[f"replay:{recorded}"], with_=("tools",))
    assert opened.ledger.rows("evidence") == []
    assert entry(opened).proof is None


def test_what_a_base_is_on_any_day(metier: tuple[Metier, Seen, Path]) -> None:
    opened, seen, _ = metier
    binding = opened.tables.binding
    known = binding.identity("remote:mine")
    assert binding.base_of("helper") == known
    assert binding.identity("remote:general") not in ("", known)
    assert binding.identity("replay:x.jsonl") == ""
    stamp = binding.stamp()
    (opened.settings.home / "services.toml").write_text(written(seen, "another-model"))
    assert binding.identity("remote:mine") != known
    assert binding.stamp() != stamp
    (opened.settings.home / "services.toml").unlink()
    assert binding.base_of("nobody") is None
    assert binding.system_of("nobody") == ""
    with pytest.raises(InputError) as caught:
        binding.identity("nobody")
    assert caught.value.code == "bad_base"


def test_what_judges_today(metier: tuple[Metier, Seen, Path]) -> None:
    opened, _, _ = metier
    found = opened.tables.binding.toolchain({"metier": "0", "nothing": "x", "python on no@1": "y"})
    assert found["metier"] != "0"
    assert (found["nothing"], found["python on no@1"]) == ("not installed", "not installed")
