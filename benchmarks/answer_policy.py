"""What does each step of the answer policy add? The whole policy, replayed on recorded answers.

Needs the mirror of public data sets and the toolchain svelte@5; repaired answers are executed in
the sandbox. Ten recorded answers of each model to each of 8 Svelte tasks are given to the policy by
the replay engine, in their order. Unrepaired answers keep their recorded verdict; a repaired answer
is judged by this project's behaviour tests (suites/svelte-bench). No model runs here: it says
what checking, repairing and choosing do with what models wrote, not how well any model writes.

    python benchmarks/answer_policy.py --mirror PATH --out benchmarks/results/answer_policy.json
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import statistics
import sys
import time
import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from record import write

import metier
from metier.answer import Means, Plan, answer
from metier.coding import Behaviour, Checked, Diagnostic, Judged, Mended, SourceFile, Tool
from metier.conversing import Reply, Turn
from metier.engines.replay import ReplayGenerator
from metier.sandbox import detect
from metier.settings import Settings
from metier.stats.paired import paired_difference
from metier.toolchains import Toolchains
from metier.tools.svelte import open_tool
from metier.tools.workshop import Workshop

TASKS = Path(metier.__file__).parent / "suites" / "svelte-bench"
SAMPLES = 10
UNSOUND = "inspect"
"""Its recorded verdicts failed correct answers from 2025-11 on."""

SMALL = {
    "essentialai/rnj-1-instruct": "8.3 B",
    "google/gemma-3n-e4b-it": "8 B, 4 B at work",
    "mistralai/ministral-3b-2512": "3 B by its name",
    "mistralai/ministral-8b-2512": "8 B by its name",
    "mistralai/ministral-14b-2512": "14 B by its name",
    "qwen/qwen3-vl-8b-instruct": "8 B by its name",
}
"""Models of at most 14 B parameters by their name or their maker's word, all parameters counted."""

ARMS: dict[str, dict[str, Any]] = {
    "compile": {"candidates": SAMPLES, "mend": False},
    "repair": {"candidates": 1, "mend": True},
    "repair, then choose": {"candidates": SAMPLES, "mend": True},
}
Key = tuple[str, str]
"""Model and task."""


def main() -> int:
    """Replay, judge, compare, print, write; 1 if the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/answer_policy.json"))
    parser.add_argument("--models", type=int, help="only so many, for a look")
    arguments = parser.parse_args()
    recorded = load(arguments.mirror / "recorded" / "svelte_answers.jsonl.gz", arguments.models)
    prompts = json.loads((arguments.mirror / "recorded" / "svelte_prompts.json").read_text())
    cache = arguments.out.with_name("answer_policy_judged.jsonl")
    with Remembering.opened(cache) as tool:
        replay = Replay(recorded, prompts, tool, Judge(tool))
        results = measured(replay)
    for line in lines(results):
        print(line)
    write(arguments.out, results)
    return 0 if results["bar"]["pass"] else 1


def load(path: Path, most: int | None) -> dict[Key, list[dict[str, Any]]]:
    """The first ten answers of each model to each sound task, documents not in the prompt."""
    found: dict[Key, list[dict[str, Any]]] = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8") as rows:
        for row in map(json.loads, rows):
            key = (row["model"], row["task"])
            if row["docs_in_prompt"] or row["task"] == UNSOUND or len(found[key]) == SAMPLES:
                continue
            found[key].append(row)
    whole = {key: rows for key, rows in found.items() if len(rows) >= SAMPLES - 1}
    models = sorted({model for model, _ in whole})[:most]
    return {key: rows for key, rows in sorted(whole.items()) if key[0] in models}


@dataclass
class Remembering:
    """The svelte tool, whose every answer is kept in a file: a second run is quick.

    Kept under the tool's digest, so that another compiler or rule starts anew.
    """

    tool: Tool
    path: Path
    known: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def opened(cls, path: Path) -> Remembering:
        """Over the toolchains of this machine."""
        settings = Settings.read()
        workshop = Workshop(
            toolchains=Toolchains(settings.toolchains),
            sandbox=detect,
            scratch=path.parent,
            pool_size=2,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        known = {}
        if path.exists():
            for line in path.read_text("utf-8").splitlines():
                entry = json.loads(line)
                known[entry["key"]] = entry["value"]
        return cls(open_tool(workshop), path, known)

    def __enter__(self) -> Remembering:
        return self

    def __exit__(self, *_: object) -> None:
        self.tool.close()

    @property
    def name(self) -> str:
        """The tool's."""
        return self.tool.name

    @property
    def digest(self) -> str:
        """The tool's."""
        return self.tool.digest

    def files_of(self, text: str) -> tuple[SourceFile, ...]:
        """The tool's."""
        return self.tool.files_of(text)

    def check(self, files: Sequence[SourceFile]) -> Checked:
        """As the tool, once for equal files."""
        value = self._kept("check", files, "", lambda: kept_check(self.tool.check(files)))
        return read_check(value)

    def repair(self, files: Sequence[SourceFile], checked: Checked) -> Mended | None:
        """As the tool, once for equal files."""

        def repaired() -> Any:
            mended = self.tool.repair(files, checked)
            return None if mended is None else kept_mended(mended)

        value = self._kept("repair", files, "", repaired)
        return None if value is None else read_mended(value)

    def judge(self, files: Sequence[SourceFile], behaviour: Behaviour) -> Judged:
        """As the tool, once for equal files and behaviour; "unscored" is not kept."""
        about = digest_of([repr(behaviour)])

        def judged() -> Any:
            found = self.tool.judge(files, behaviour)
            return [found.standing, found.why]

        value = self._kept("judge", files, about, judged)
        return Judged(value[0], why=value[1])

    def close(self) -> None:
        """End the tool's processes."""
        self.tool.close()

    def _kept(self, what: str, files: Sequence[SourceFile], about: str, make: Any) -> Any:
        texts = [part for file in files for part in (file.path, file.text)]
        key = digest_of([what, self._tool_digest(), about, *texts])
        if key not in self.known:
            start = time.perf_counter()
            value = make()
            self.seconds[what].append(time.perf_counter() - start)
            self.known[key] = value
            if not (what == "judge" and value[0] == "unscored"):
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"key": key, "value": value}) + "\n")
        return self.known[key]

    def _tool_digest(self) -> str:
        if "digest" not in self.__dict__:
            self.__dict__["digest"] = self.tool.digest
        return str(self.__dict__["digest"])


def digest_of(parts: Sequence[str]) -> str:
    """SHA-256 over parts, their borders kept."""
    return hashlib.sha256(json.dumps(list(parts)).encode()).hexdigest()


def kept_check(checked: Checked) -> Any:
    """A check as JSON."""
    return [checked.ok, [item.as_dict() for item in checked.diagnostics]]


def read_check(value: Any) -> Checked:
    """The check that ``kept_check`` wrote."""
    return Checked(value[0], tuple(Diagnostic(**{"message": "", **item}) for item in value[1]))


def kept_mended(mended: Mended) -> Any:
    """A repair as JSON."""
    return [
        [[file.path, file.text] for file in mended.files],
        [list(rule) for rule in mended.applied],
        kept_check(mended.checked),
    ]


def read_mended(value: Any) -> Mended:
    """The repair that ``kept_mended`` wrote."""
    files, applied, checked = value
    return Mended(
        tuple(SourceFile(*file) for file in files),
        tuple((name, sentence) for name, sentence in applied),
        read_check(checked),
    )


@dataclass
class Judge:
    """Whether a repaired answer behaves: by this project's own tests of the recorded prompts."""

    tool: Remembering
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    unscored: int = 0

    def passes(self, task: str, text: str) -> bool:
        """Judged by execution; a failure of the judge counts as not passed, and is counted."""
        if task not in self.behaviours:
            found = tomllib.loads((TASKS / f"{task}.toml").read_text("utf-8"))["behaviour"]
            self.behaviours[task] = Behaviour(
                found["kind"], found["entry"], steps=tuple(found["steps"])
            )
        behaviour = self.behaviours[task]
        judged = self.tool.judge((SourceFile(behaviour.entry, text),), behaviour)
        self.unscored += judged.standing == "unscored"
        return judged.standing == "passed"


@dataclass
class Replay:
    """The policy over recorded answers; each group starts once with each of its answers."""

    recorded: Mapping[Key, list[dict[str, Any]]]
    prompts: Mapping[str, str]
    tool: Remembering
    judge: Judge

    def raw(self) -> dict[Key, float]:
        """Share of a group that passed: what one answer is worth."""
        return {
            key: statistics.fmean(row["passed"] for row in rows)
            for key, rows in self.recorded.items()
        }

    def best(self) -> dict[Key, float]:
        """Whether any answer of a group passed: what a perfect choice is worth."""
        return {
            key: float(any(row["passed"] for row in rows)) for key, rows in self.recorded.items()
        }

    def arm(self, plan: Plan) -> Arm:
        """What the policy makes of every group, once from each of its answers on."""
        outcomes: dict[Key, list[float]] = {}
        sound: dict[Key, list[bool]] = {}
        origins: dict[str, int] = defaultdict(int)
        applied: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for key, rows in self.recorded.items():
            found, checked = [], []
            for start in range(len(rows)):
                turned = rows[start:] + rows[:start]
                reply = self._reply(key, turned, plan)
                choice = next(step for step in reply.trace if step.kind == "choose").data
                passed = bool(turned[choice["candidate"] - 1]["passed"])
                origins[choice["origin"]] += 1
                if choice["origin"] == "mended":
                    passed = self.judge.passes(key[1], reply.files[0].text)
                    for rule in rules_of(reply, choice["candidate"]):
                        applied[rule][0] += 1
                        applied[rule][1] += passed
                found.append(float(passed))
                checked.append(reply.checked is not False)
            outcomes[key], sound[key] = found, checked
        rules = {name: tuple(counts) for name, counts in applied.items()}
        return Arm(outcomes, sound, dict(origins), rules)

    def _reply(self, key: Key, rows: Sequence[Mapping[str, Any]], plan: Plan) -> Reply:
        records = [{"task": key[1], "text": row["answer"]} for row in rows]
        generator = ReplayGenerator.of(key[0], records).at(key[1])
        turns = [Turn("user", self.prompts[key[1]])]
        means = Means(generator, None, (self.tool,), evaluating=True)
        return answer(turns, plan, means)


@dataclass(frozen=True)
class Arm:
    """One way to answer.

    Attributes:
        outcomes: Of each group, from each of its answers on.
        sound: Whether the chosen answer compiles.
        origins: How the chosen answers came about.
        rules: Repairs in chosen answers, and how many of those pass.
    """

    outcomes: Mapping[Key, list[float]]
    sound: Mapping[Key, list[bool]]
    origins: Mapping[str, int]
    rules: Mapping[str, tuple[int, ...]]

    def means(self) -> dict[Key, float]:
        """Expected pass of each group."""
        return {key: statistics.fmean(values) for key, values in self.outcomes.items()}

    def or_else(self, other: Arm) -> Arm:
        """This arm where its answer compiles, the other one where it does not."""
        outcomes = {
            key: [
                mine if sound else theirs
                for mine, sound, theirs in zip(
                    values, self.sound[key], other.outcomes[key], strict=True
                )
            ]
            for key, values in self.outcomes.items()
        }
        return Arm(outcomes, other.sound, {}, {})

    def first(self) -> dict[Key, float]:
        """Pass of each group in the order of the recording."""
        return {key: values[0] for key, values in self.outcomes.items()}


def rules_of(reply: Reply, candidate: int) -> list[str]:
    """The repairs that a candidate went through."""
    steps = [step for step in reply.trace if step.kind == "repair"]
    return [
        rule[0]
        for step in steps
        if step.data.get("candidate") == candidate
        for rule in step.data["applied"]
    ]


def measured(replay: Replay) -> dict[str, Any]:
    """Every arm, on all models, on small ones, and on the halves with and without the rules."""
    start = time.process_time()
    arms = {name: replay.arm(Plan(repairs=0, **plan)) for name, plan in ARMS.items()}
    arms["choose, then repair"] = arms["compile"].or_else(arms["repair, then choose"])
    scores: dict[str, Mapping[Key, float]] = {
        "raw": replay.raw(),
        **{name: arm.means() for name, arm in arms.items()},
        "best possible": replay.best(),
    }
    in_order = {name: arm.first() for name, arm in arms.items()}
    models = sorted({model for model, _ in replay.recorded})
    rows = {
        "all models": models,
        "at most 14 B": [model for model in models if model in SMALL],
        "half with the rules": [model for model in models if gave_rules(model)],
        "half without": [model for model in models if not gave_rules(model)],
    }
    gain = difference(scores, "repair, then choose", "compile", models)
    return {
        "tasks": sorted({task for _, task in replay.recorded}),
        "small": SMALL,
        "rows": {name: row_of(scores, in_order, chosen) for name, chosen in rows.items()},
        "origins": {name: dict(arm.origins) for name, arm in arms.items()},
        "rules": {name: dict(arm.rules) for name, arm in arms.items() if arm.rules},
        "judge_failures": replay.judge.unscored,
        "tool": replay.tool.digest,
        "median_ms": {
            name: round(1000 * statistics.median(times), 2)
            for name, times in replay.tool.seconds.items()
        },
        "cpu_seconds": round(time.process_time() - start, 1),
        "bar": {
            "reach": "compile-only + 1 point with repair",
            "value": round(100 * gain["difference"], 2),
            "pass": gain["difference"] >= 0.01,
        },
    }


def gave_rules(model: str) -> bool:
    """Whether repair rules were found on this model's failures; the others gave totals at most.

    The split of the study that found the rules: parity of the SHA-256 of the model's name.
    """
    return int(hashlib.sha256(model.encode()).hexdigest(), 16) % 2 == 0


def row_of(
    scores: Mapping[str, Mapping[Key, float]],
    in_order: Mapping[str, Mapping[Key, float]],
    models: Sequence[str],
) -> dict[str, Any]:
    """Scores of some models, and what each step adds, with intervals over tasks."""
    return {
        "models": len(models),
        "score": {name: round(mean(values, models), 4) for name, values in scores.items()},
        "in_recorded_order": {
            name: round(mean(values, models), 4) for name, values in in_order.items()
        },
        "compile over raw": difference(scores, "compile", "raw", models),
        "repair over raw": difference(scores, "repair", "raw", models),
        "both over raw": difference(scores, "repair, then choose", "raw", models),
        "both over compile": difference(scores, "repair, then choose", "compile", models),
        "choosing first": difference(scores, "choose, then repair", "repair, then choose", models),
    }


def mean(values: Mapping[Key, float], models: Sequence[str]) -> float:
    """Mean over the groups of some models."""
    chosen = set(models)
    return statistics.fmean(value for key, value in values.items() if key[0] in chosen)


def difference(
    scores: Mapping[str, Mapping[Key, float]], first: str, second: str, models: Sequence[str]
) -> dict[str, Any]:
    """The paired difference with its verdict, clustered by task."""
    chosen = set(models)
    keys = [key for key in scores[first] if key[0] in chosen]
    found = paired_difference(
        [scores[first][key] for key in keys],
        [scores[second][key] for key in keys],
        [task for _, task in keys],
    )
    return found.model_dump(mode="json")


def lines(results: Mapping[str, Any]) -> list[str]:
    """The table for people."""
    told = []
    for name, row in results["rows"].items():
        scores = "  ".join(f"{arm} {value:.3f}" for arm, value in row["score"].items())
        told.append(f"{name} ({row['models']}): {scores}")
        for step in ("compile over raw", "both over compile"):
            found = row[step]
            low, high = (100 * found["interval"][end] for end in ("low", "high"))
            told.append(
                f"  {step}: {100 * found['difference']:+.1f} points [{low:+.1f}, {high:+.1f}], "
                f"{found['clusters']} tasks: {found['verdict']}"
            )
    bar = results["bar"]
    told.append(f"{'pass' if bar['pass'] else 'FAIL'}  {bar['reach']}: {bar['value']:+.2f}")
    return told


if __name__ == "__main__":
    sys.exit(main())
