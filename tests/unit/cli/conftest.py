"""A small façade in memory, and cards as a maker would write them."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from metier.assembly.candidates import General
from metier.card import (
    Abstention,
    AnyCard,
    BaseReference,
    Calibration,
    Card,
    Cost,
    Crossover,
    CurvePoint,
    DataSummary,
    Difference,
    Evidence,
    Interval,
    LabelCurve,
    LeakReport,
    Machine,
    OutOfScope,
    Row,
    Rung,
    Score,
    Verdict,
)
from metier.cli import main
from metier.cli.session import Session
from metier.errors import MetierError, NotFoundError
from metier.evals.checking import check_eval
from metier.evals.items import seal
from metier.examine import Examined
from metier.finding import Fit, Found, Query
from metier.fleet import Installed
from metier.messages import Example, Prediction, Progress, Report, silent
from metier.recipe import DataPart, LadderPart, Recipe, SpecialistPart, SplitPart
from metier.reference import Digest, Reference
from metier.settings import Settings
from metier.toolchains import Toolchains
from stand_in.fitting import SmallFitting
from stand_in.fleet import SmallFleet
from stand_in.watching import Watched

DIGEST = "sha256:" + "ab" * 32
METHOD = "paired, cluster-robust, 95 %"


def score(value: float, half: float = 0.009, n: int = 3080, metric: str = "accuracy") -> Score:
    low, high = max(0.0, value - half), min(1.0, value + half)
    return Score(metric=metric, value=value, interval=Interval(low=low, high=high), n=n, clusters=n)


def difference(
    value: float, half: float = 0.017, verdict: Verdict = Verdict.WIN, n: int = 3080, **more: Any
) -> Difference:
    return Difference(
        verdict=verdict,
        difference=value,
        interval=Interval(low=value - half, high=value + half),
        n=n,
        clusters=n,
        discordant=round(n * abs(value)),
        method=METHOD,
        **more,
    )


def evidence(against: str, found: Difference, ours: float = 0.936, **more: Any) -> Evidence:
    return Evidence(
        against=against,
        system=DIGEST,
        system_name="banking-intents",
        rival=DIGEST,
        rival_name=more.pop("rival_name", against),
        eval_fingerprint=DIGEST,
        score=score(ours, n=found.n),
        rival_score=score(ours - found.difference, n=found.n),
        difference=found,
        date="2026-11-12",
        command="metier eval banking-intents --on banking77",
        **more,
    )


def rung(name: str, value: float, ms: float, size: int, seconds: float, **more: Any) -> Rung:
    return Rung(
        name=name,
        title=more.pop("title", name),
        accuracy=score(value, 0.008, 10003),
        ms_per_text=ms,
        size_bytes=size,
        seconds=seconds,
        cpu_seconds=seconds,
        state=more.pop("state", "tried"),
        **more,
    )


RUNGS = (
    rung("majority", 0.013, 0.0, 900, 0.1, title="the most frequent label"),
    rung("linear", 0.902, 0.31, 412_000, 4.2, title="hashed words and characters"),
    rung("static", 0.874, 0.05, 980_000, 6.1, title="static embeddings + linear"),
    rung(
        "encoder-int8",
        0.928,
        2.9,
        118_000,
        18.4,
        title="frozen encoder (int8) + linear",
        shared_bytes=23_000_000,
        state="chosen",
        why="Within 1 point of the best rung, at a third of its time.",
    ),
    rung("ensemble", 0.934, 3.3, 530_000, 2.0, title="ensemble", shared_bytes=23_000_000),
)
CURVE = LabelCurve(
    rung="encoder-int8",
    seed=0,
    points=tuple(
        CurvePoint(per_class=n, labels=77 * n, mean=mean, low=mean - w, high=mean + w, draws=5)
        for n, mean, w in (
            (1, 0.41, 0.05),
            (2, 0.56, 0.04),
            (5, 0.74, 0.03),
            (10, 0.851, 0.015),
            (20, 0.89, 0.012),
            (50, 0.921, 0.008),
            (100, 0.932, 0.005),
        )
    ),
    crossovers=(
        Crossover(
            against="base",
            accuracy=0.623,
            per_class=3,
            sentence="Passes its base (62.3 %) at about 3 labels per class.",
        ),
    ),
)
LEAKS = LeakReport(
    eval_items=3080,
    leaked=0,
    share=0.0,
    by_kind={},
    duplicate_train_rows=4,
    conflicting_labels=0,
    blocks_win=False,
    method="exact, folded, 13-gram, near-duplicate .9",
)


def make_card(name: str = "banking-intents", **changes: Any) -> Card:
    """A card like that of the banking starter; ``changes`` are fields of it."""
    return Card(**{**_identity(name), **_proof(name), **_quality(), **changes})


def _identity(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "version": "1",
        "domain": "banking",
        "description": "Which of 77 intents a bank's customer has.",
        "labels": tuple(f"intent_{index}" for index in range(77)),
        "base": BaseReference(name="all-minilm-l6-v2", digest=DIGEST, licence="Apache-2.0"),
        "rung": "encoder-int8",
        "why": "Within 1 point of the best rung (ensemble, 93.4 %), at 88 % of its time per text.",
        "recipe_id": DIGEST,
        "build_id": DIGEST,
        "system": DIGEST,
        "seed": 0,
        "made": "2026-11-12T10:20:30+00:00",
        "seconds": 41.3,
        "cpu_seconds": 58.0,
        "machine": Machine(processor="x86", cores=2, system="Linux", python="3.12.4"),
        "cost": Cost(ms_per_text=2.9, size_bytes=118_000, shared_bytes=23_000_000),
    }


def _proof(name: str) -> dict[str, Any]:
    return {
        "rows": (
            Row(
                role="specialist",
                name=name,
                score=score(0.936),
                cost=Cost(ms_per_text=2.9, size_bytes=118_000, shared_bytes=23_000_000),
            ),
            Row(role="majority", name="the most frequent label", score=score(0.013, 0.004)),
            Row(
                role="base",
                name="all-minilm-l6-v2, zero-shot on label names",
                score=score(0.623, 0.017),
                cost=Cost(ms_per_text=2.9, size_bytes=23_000_000),
            ),
            Row(
                role="general",
                name="general",
                note="no general model is configured",
                command=f"metier eval {name} --on {name} --against general",
            ),
        ),
        "scores": (score(0.936), score(0.935, metric="macro_f1")),
        "evidence": (
            evidence("majority", difference(0.923, 0.01)),
            evidence("base", difference(0.313)),
        ),
        "ladder": RUNGS,
        "curve": CURVE,
    }


def _quality() -> dict[str, Any]:
    return {
        "calibration": Calibration(expected_calibration_error=0.012, temperature=0.83, n=10003),
        "abstention": Abstention(
            threshold=0.62, target_accuracy=0.95, accuracy=0.951, coverage=0.962, n=10003
        ),
        "out_of_scope": OutOfScope(energy_threshold=3.1, false_alarms=0.05),
        "leaks": LEAKS,
        "data": DataSummary(
            train_rows=10003,
            eval_rows=3080,
            labels=77,
            smallest_class=35,
            largest_class=187,
            train_digest=DIGEST,
            eval_digest=DIGEST,
            source="banking77",
            given_split=True,
        ),
    }


@dataclass
class Item:
    reference: Reference
    card: AnyCard | None
    size_bytes: int
    kind: str = "specialist"
    sees: bool = False
    digest: Digest = field(default_factory=lambda: Digest("cd" * 32))
    modified: str = "2026-11-12T10:20:30+00:00"

    name = Installed.name
    task = Installed.task
    classifier = Installed.classifier
    chat = Installed.chat
    pack = Installed.pack
    model = None


class SmallFacade:
    """Answers like the real one, from memory; ``failure`` is raised by the next verb."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(home=folder)
        self.toolchains = Toolchains(folder / "toolchains")
        self.fleet = SmallFleet()
        self.fitting = SmallFitting()
        self.watching = Watched(lambda name: self.show(name))
        self.general = General("", remedy="metier pull hf.co/somebody/model")
        self.routing = SimpleNamespace(
            warm=lambda: None, field=lambda: SimpleNamespace(general=self.general)
        )
        self.items = {
            "banking-intents": Item(Reference("banking-intents"), make_card(), 118_000),
            "sms-spam": Item(
                Reference("sms-spam"),
                make_card("sms-spam", labels=("ham", "spam"), evidence=(), curve=None),
                412_345,
            ),
            "all-minilm-l6-v2": Item(Reference("all-minilm-l6-v2"), None, 91_000_000, kind="base"),
        }
        self.failure: BaseException | None = None
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.problems: list[dict[str, str]] = []
        self.card = make_card("triage")
        self.comparison = evidence("other", difference(0.02), rival_name="sms-spam")
        self.pause = 0.0
        self.folder = folder

    def _called(self, verb: str, **facts: Any) -> None:
        self.calls.append((verb, facts))
        if self.failure is not None:
            raise self.failure

    def list(self) -> list[Item]:
        self._called("list")
        return list(self.items.values())

    def find(self, query: Query) -> Found:
        return Found(query=query, hits=(), total=0)

    def show(self, name: str) -> Item:
        found = self.items.get(Reference.parse(name).familiar)
        if found is None:
            raise NotFoundError(
                f"There is no specialist called {name!r}.",
                remedy="Did you mean banking-intents? See metier list.",
            )
        return found

    def fit(self, item: Item) -> Fit:
        return Fit("yes", item.size_bytes)

    def classify(self, name: str, texts: Sequence[str], *, top: int = 5) -> list[Prediction]:
        self._called("classify", name=name, texts=list(texts), top=top)
        return [self._answer(text, top) for text in texts]

    def _answer(self, text: str, top: int) -> Prediction:
        scores = (("card_arrival", 0.913), ("card_delivery_estimate", 0.041), ("lost_card", 0.02))
        unsure, strange = "unsure" in text, "strange" in text
        return Prediction(
            label=None if unsure or strange else "card_arrival",
            probability=0.41 if unsure else 0.913,
            best="card_arrival",
            abstained=unsure or strange,
            out_of_scope=strange,
            energy=4.2,
            scores=scores[:top],
        )

    def recipe_for(self, data: Path, *, name: str, **choices: Any) -> Recipe:
        self._called("recipe_for", data=data, name=name, **choices)
        return Recipe(
            specialist=SpecialistPart(name=name),
            data=(DataPart(kind="file", path=str(data)),),
            split=SplitPart(drop_leaks=choices["drop_leaks"]),
            ladder=LadderPart(budget_seconds=choices["budget"], seed=choices["seed"]),
        )

    def make(
        self,
        recipe: Recipe,
        *,
        folder: Path,
        report: Report = silent,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Card:
        self._called("make", recipe=recipe, folder=folder)
        report(Progress("data", "Reading the data: 13,083 rows, 77 labels.", 0.02, 40.0))
        report(Progress("leaks", "Looking for leaks.", 0.05, 38.0))
        for index, found in enumerate(self.card.ladder):
            for done in range(5):
                if cancelled():
                    raise MetierError("Cancelled.", code="cancelled")
                report(
                    Progress(
                        "rung",
                        f"Making {found.name}.",
                        0.1 + 0.15 * (index + done / 5),
                        30.0 - 5 * index - done,
                        {"of": 10_000, "name": found.name},
                    )
                )
                time.sleep(self.pause)
            report(
                Progress(
                    "rung",
                    f"Made {found.name}.",
                    0.1 + 0.15 * (index + 1),
                    20.0,
                    found.model_dump(),
                )
            )
        report(Progress("choose", "Choosing.", 0.9, 3.0))
        report(Progress("eval", "Asking the sealed questions.", 0.95, 1.0))
        report(Progress("done", "Done.", 1.0, 0.0))
        name = recipe.specialist.name
        self.items[name] = Item(Reference.parse(name), self.card, 118_000, digest=Digest("ef" * 32))
        return self.card

    def evaluate(
        self,
        name: str,
        *,
        on: str,
        against: Sequence[str] = (),
        report: Report = silent,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Any:
        self._called("evaluate", name=name, on=on, against=tuple(against))
        report(Progress("eval", "Asking 3,080 questions.", 0.5, 2.0))
        card = self.show(name).classifier
        assert card is not None
        return Examined(name, on, DIGEST, card.scores, card.evidence, DIGEST, {})

    def compare(self, first: str, second: str, *, on: str) -> Evidence:
        self._called("compare", first=first, second=second, on=on)
        return self.comparison

    def check_eval(self, on: str, **how: Any) -> dict[str, Any]:
        self._called("check_eval", on=on, fresh=how["fresh"])
        sealed = seal([Example(f"text {n}", f"label {n % 5}") for n in range(100)])
        return check_eval(sealed).to_dict()

    def remove(self, name: str) -> None:
        self._called("remove", name=name)
        del self.items[name]

    def collect_garbage(self) -> dict[str, int]:
        self._called("collect_garbage")
        return {"removed": 3, "bytes": 412_000}

    def verify(self, *, remake: bool = False, report: Report = silent) -> dict[str, Any]:
        self._called("verify", remake=remake)
        found: dict[str, Any] = {"checked": 41, "problems": self.problems}
        if remake:
            found["remade"] = [{"name": "sms-spam", "same_digest": False, "equal_labels": 0.999}]
        return found

    def import_path(self, path: Path, *, name: str | None = None) -> Sequence[Item]:
        self._called("import_path", path=path, name=name)
        return [self.items["sms-spam"]]

    def export(self, name: str, directory: Path) -> Path:
        self._called("export", name=name, directory=directory)
        return directory / name

    def recipes(self) -> list[str]:
        return ["svelte-docs", "sveltekit"]

    def services(self) -> list[str]:
        return []

    def close(self) -> None:
        self._called("close")

    def install_starters(self, report: Report = silent) -> Sequence[Item]:
        self._called("install_starters")
        report(Progress("data", "Installing starters.", 0.5, 1.0))
        return []


@pytest.fixture
def facade(tmp_path: Path) -> SmallFacade:
    return SmallFacade(tmp_path)


@dataclass(frozen=True)
class Outcome:
    """How one run of the command line ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Stdout as the one JSON document it must be; stderr must be empty."""
        assert self.err == ""
        return json.loads(self.out)


Command = Callable[..., Outcome]


@pytest.fixture
def metier(
    facade: SmallFacade, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Runs ``metier WORDS``; ``stdin`` is what it reads, a terminal if ``None``."""

    def command(*words: str, stdin: str | None = None) -> Outcome:
        capsys.readouterr()
        source = io.StringIO(stdin or "")
        monkeypatch.setattr(source, "isatty", lambda: stdin is None)
        monkeypatch.setattr(sys, "stdin", source)
        with pytest.raises(SystemExit) as ended:
            main(words, obj=Session(lambda: facade))
        told = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Outcome(ended.value.code, told.out, told.err)

    return command


@pytest.fixture
def make() -> SimpleNamespace:
    """The makers of cards and their pieces."""
    return SimpleNamespace(
        card=make_card, score=score, difference=difference, evidence=evidence, rung=rung
    )
