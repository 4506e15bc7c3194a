"""Find by eval over systems that answer: budgets, journals, failures, evidence."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from metier.card import Verdict
from metier.errors import InputError, UnavailableError
from metier.evals.items import Eval, seal
from metier.evals.results import read_result
from metier.examine.tried import Budget, Candidate, Tried
from metier.examine.trying import Trier
from metier.messages import Answer, Example, Progress
from metier.reference import Digest

ITEMS = 120


def examples(count: int = ITEMS) -> Eval:
    return seal([Example(f"text {number}", f"label {number % 5}") for number in range(count)])


@dataclass
class Knows:
    """Right on a share of the texts, the same ones each time."""

    name: str
    share: float
    pause: float = 0.0
    breaks: Exception | None = None
    after: int = 10**9
    asked: list[str] = field(default_factory=list)

    @property
    def digest(self) -> str:
        return str(Digest.of(self.name.encode()))

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        if self.breaks is not None and len(self.asked) >= self.after:
            raise self.breaks
        self.asked += texts
        time.sleep(self.pause * len(texts))
        found = []
        for text in texts:
            number = int(text.split()[1])
            right = random.Random(f"{self.name}{number}").random() < self.share
            found.append(Answer(f"label {number % 5}" if right else "else", self.pause))
        return found


def candidate(system: Knows, **more: Any) -> Candidate:
    return Candidate(
        system.name, "writer", system, batch=4, act=f"metier run {system.name}", **more
    )


def trier(folder: Path, heard: list[Progress] | None = None, **more: Any) -> Trier:
    told = heard if heard is not None else []
    settings: dict[str, Any] = {
        "journals": folder / "journals",
        "results": folder / "results",
        "toolchain": {"numpy": "2"},
        "today": "2026-11-23",
        "leaked": lambda _candidate, _sealed: frozenset(),
        "report": told.append,
        "cancelled": lambda: False,
    }
    return Trier(**{**settings, **more})


def five(**more: Any) -> list[Knows]:
    shares = {"a": 0.3, "b": 0.5, "c": 0.9, "d": 0.6, "e": 0.2}
    return [Knows(name, share, **more) for name, share in shares.items()]


def search(folder: Path, systems: Sequence[Knows], **more: Any) -> Tried:
    return trier(folder).search(examples(), [candidate(one) for one in systems], **more)


def test_the_best_is_found_within_the_budget_and_scored_again(tmp_path: Path) -> None:
    systems = five()
    found = search(tmp_path, systems, budget=Budget(questions=220), command="metier find …")
    assert found.search.winner == "c"
    assert sum(len(one.asked) for one in systems) == found.search.asked <= 220
    assert found.again == 0
    evidence, chance = found.evidence
    assert chance.against == "majority"
    assert (evidence.system_name, evidence.rival_name) == ("c", found.search.runner_up)
    assert evidence.difference.n == len(found.search.final.questions)
    for digest in evidence.results:
        kept = read_result(tmp_path / "results" / f"{Digest.parse(digest).hex}.jsonl")
        assert kept.digest == digest
    assert found.to_dict()["winner"] == "c"


def test_the_same_search_again_asks_nobody(tmp_path: Path) -> None:
    first = search(tmp_path, five(), budget=Budget(questions=200))
    systems = five()
    second = search(tmp_path, systems, budget=Budget(questions=200))
    assert [one.asked for one in systems] == [[]] * 5
    assert second.search == first.search
    assert second.again == first.search.asked


def test_a_larger_budget_asks_only_what_is_new(tmp_path: Path) -> None:
    search(tmp_path, five(), budget=Budget(questions=150))
    systems = five()
    found = search(tmp_path, systems, budget=Budget(questions=300))
    assert found.again > 0
    assert sum(len(one.asked) for one in systems) + found.again == found.search.asked


def test_a_stopped_search_goes_on_where_it_was(tmp_path: Path) -> None:
    systems = five()
    calls = 0

    def cancelled() -> bool:
        nonlocal calls
        calls += 1
        return calls > 12

    stopping = trier(tmp_path, cancelled=cancelled)
    with pytest.raises(UnavailableError) as raised:
        stopping.search(examples(), [candidate(one) for one in systems])
    assert raised.value.code == "cancelled"
    before = sum(len(one.asked) for one in systems)
    again = five()
    found = search(tmp_path, again)
    assert found.again == before
    whole = search(tmp_path / "whole", five())
    assert found.search == whole.search


def test_who_fails_is_left_out_with_the_reason_and_the_rest_goes_on(tmp_path: Path) -> None:
    systems = five()
    systems[2].breaks = UnavailableError("The service is gone.", code="service_unreachable")
    systems[2].after = 8
    found = search(tmp_path, systems, budget=Budget(questions=250))
    assert found.failures == (("c", "The service is gone."),)
    assert found.search.winner in ("b", "d")


def test_nobody_answered(tmp_path: Path) -> None:
    systems = five(breaks=UnavailableError("Gone.", code="service_unreachable"), after=0)
    with pytest.raises(UnavailableError, match=r"a: Gone") as raised:
        search(tmp_path, systems)
    assert raised.value.code == "nobody_answered"


def test_a_budget_of_time_leaves_the_slowest_out(tmp_path: Path) -> None:
    systems = [Knows("quick", 0.5), Knows("fair", 0.7), Knows("slow", 0.9, pause=0.3)]
    started = time.monotonic()
    found = search(tmp_path, systems, budget=Budget(seconds=1.0))
    assert found.search.winner == "fair"
    assert [one.name for one in found.left_out] == ["slow"]
    assert "too slow" in found.left_out[0].why
    assert time.monotonic() - started < 10.0
    assert len(systems[2].asked) == 2


def test_a_budget_that_would_choose_by_chance_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        search(tmp_path, five(), budget=Budget(questions=12))
    assert raised.value.code == "budget_too_small"
    wanted = int(raised.value.remedy.split("--budget ")[1].split()[0])
    assert search(tmp_path, five(), budget=Budget(questions=wanted)).search.winner


def test_without_a_budget_each_gets_forty_questions_or_two_hundred_in_all(tmp_path: Path) -> None:
    systems = [Knows(f"s{number}", number / 10) for number in range(9)]
    assert search(tmp_path, systems).budget.questions == 360
    assert search(tmp_path / "two", systems[:2]).budget.questions == 200


def test_the_reference_is_compared_too(tmp_path: Path) -> None:
    found = search(tmp_path, five(), budget=Budget(questions=260), reference="e")
    assert [item.rival_name for item in found.evidence] == [
        found.search.runner_up,
        "e",
        f"always saying '{found.always.label}'",
    ]
    assert found.evidence[1].difference.verdict is Verdict.WIN


def test_leaked_items_are_left_out_and_withhold_a_win(tmp_path: Path) -> None:
    def some(_one: Candidate, sealed: Eval) -> frozenset[str]:
        return frozenset(item.id for item in sealed.items[::4])

    budget = Budget(questions=260)
    plain = search(tmp_path, five(), budget=budget, reference="e")
    found = trier(tmp_path, leaked=some).search(
        examples(), [candidate(one) for one in five()], budget=budget, reference="e"
    )
    before, after = plain.search.final, found.search.final
    left_out = {one.found for one in found.overlaps}
    assert left_out == {len(before.questions) - len(after.questions)}
    assert 0 not in left_out
    assert after.winner.scored == len(after.questions)
    assert {item.difference.n for item in found.evidence} == {len(after.questions)}
    assert plain.evidence[1].difference.verdict is Verdict.WIN
    assert all(item.difference.verdict is not Verdict.WIN for item in found.evidence)


def test_where_every_untouched_item_leaked_there_is_no_score(tmp_path: Path) -> None:
    leaky = trier(tmp_path, leaked=lambda _one, sealed: frozenset(item.id for item in sealed.items))
    found = leaky.search(examples(), [candidate(one) for one in five()])
    assert found.evidence == ()
    assert found.sentences()[0].startswith("c has no clean score")


def test_progress_tells_rounds_shares_and_who_is_asked(tmp_path: Path) -> None:
    heard: list[Progress] = []
    trier(tmp_path, heard).search(examples(), [candidate(one) for one in five()])
    rounds = [step for step in heard if step.stage == "round"]
    assert [step.data["name"] for step in rounds][:2] == ["round 1", "round 2"]
    assert rounds[0].message.startswith("Round 1: 3 of 5 stay after ")
    shares = [step.fraction for step in heard if step.fraction is not None]
    assert shares == sorted(shares)
    assert any("a second" in step.message for step in heard)
    assert any(step.message.startswith("Untouched questions") for step in heard)


@pytest.mark.parametrize(
    ("count", "names", "reference", "code"),
    [(5, 2, None, "too_few_items"), (50, 0, None, "no_candidates"), (50, 2, "z", "no_reference")],
)
def test_what_cannot_be_searched_says_why(
    tmp_path: Path, count: int, names: int, reference: str | None, code: str
) -> None:
    candidates = [candidate(one) for one in five()[:names]]
    with pytest.raises(InputError) as raised:
        trier(tmp_path).search(examples(count), candidates, reference=reference)
    assert raised.value.code == code


def test_one_group_of_examples_is_too_few(tmp_path: Path) -> None:
    sealed = seal([Example(f"text {n}", "a", group="all") for n in range(20)])
    with pytest.raises(InputError) as raised:
        trier(tmp_path).search(sealed, [candidate(one) for one in five()])
    assert raised.value.code == "too_few_items"
