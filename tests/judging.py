"""A tool and a base for tests of executed evals.

The tool: an answer passes if its files hold what the steps ask for.

``{"has": text}`` and ``{"lacks": text}`` look at the entry. It is a real tool in every other way:
it extracts files, it can be without its toolchain, its judge can fail. The base writes what it
knows, may fail, and counts what it is asked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from metier.coding import Behaviour, Checked, Judged, Mended, SourceFile
from metier.conversing import Reply
from metier.errors import InputError, UnavailableError
from metier.evals.executing import Entrant
from metier.evals.tasks import Mutant, Suite, Task
from metier.reference import Digest


@dataclass
class WordTool:
    """Judges by words. ``broken`` names texts on which the judge itself fails."""

    name: str = "words"
    digest: str = "sha256:" + "1" * 64
    broken: tuple[str, ...] = ()
    missing: bool = False
    judged: list[tuple[SourceFile, ...]] = field(default_factory=list)
    flaky: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def files_of(self, answer: str) -> tuple[SourceFile, ...]:
        if "```" not in answer:
            return ()
        return (SourceFile("Answer.txt", answer.split("```")[1].partition("\n")[2]),)

    def check(self, files: Sequence[SourceFile]) -> Checked:
        return Checked(True)

    def repair(self, files: Sequence[SourceFile], checked: Checked) -> Mended | None:
        return None

    def judge(self, files: Sequence[SourceFile], behaviour: Behaviour) -> Judged:
        if self.missing:
            raise UnavailableError("words@1 is not installed.", code="no_toolchain")
        with self.lock:
            self.judged.append(tuple(files))
        text = next((file.text for file in files if file.path == behaviour.entry), "")
        if any(word in text for word in self.broken):
            return Judged("unscored", None, "the judge fell over", seconds=0.001)
        if text in self.flaky:
            self.flaky.remove(text)
            return Judged("failed", "behaviour", "it took too long", seconds=0.001)
        for number, step in enumerate(behaviour.steps, start=1):
            verb, word = next(iter(step.items()))
            if verb not in ("has", "lacks"):
                raise InputError(f"step {number}: there is no verb {verb!r}.", code="bad_step")
            if (word in text) != (verb == "has"):
                why = f"step {number}: expected {verb} {word!r}"
                return Judged("failed", "behaviour", why, step=number, seconds=0.001)
        return Judged("passed", seconds=0.001)

    def close(self) -> None:
        pass


def task(
    name: str,
    *,
    cluster: str | None = None,
    mutants: int | tuple[Mutant, ...] = 5,
    **changes: object,
) -> Task:
    """A task whose answer has to hold its own name; ``changes`` replace fields."""
    fields: dict[str, object] = {
        "id": name,
        "title": f"The word {name}",
        "cluster": name if cluster is None else cluster,
        "date": "2026-11-23",
        "tool": "words",
        "toolchains": ("words@1",),
        "prompt": f"Write the word {name}.",
        "behaviour": Behaviour("words", "answer.txt", {}, ({"has": name}, {"lacks": "bad"})),
        "reference": (SourceFile("answer.txt", f"{name} indeed"),),
        "mutants": mutants if isinstance(mutants, tuple) else _wrong(mutants),
    }
    return Task(**{**fields, **changes})  # type: ignore[arg-type]


def _wrong(number: int) -> tuple[Mutant, ...]:
    return tuple(
        Mutant(str(one), f"wrong {one}", (SourceFile("answer.txt", f"bad {one}"),))
        for one in range(number)
    )


def suite(tasks: int = 6, *, name: str = "words", least_mutants: int = 5) -> Suite:
    """So many tasks, ``word0`` …, two to a cluster."""
    made = tuple(task(f"word{number}", cluster=f"pair{number // 2}") for number in range(tasks))
    return Suite(name, "Words", "CC0-1.0", made, least_mutants=least_mutants)


@dataclass
class Scribe:
    """A base that writes the word it was asked for, where it knows it.

    ``knows`` is the share of ten tasks that it knows alone; each part adds ``adds``. ``fails``
    names tasks at which its service fails; ``money`` is what a token costs.
    """

    base: str = "remote:scribe"
    knows: int = 2
    adds: int = 2
    fails: tuple[str, ...] = ()
    recorded: bool = False
    money: float | None = 0.001
    asked: list[tuple[str, int, tuple[str, ...]]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def entrant(self, parts: tuple[str, ...] = (), *, samples: int = 1) -> Entrant:
        def reply(asked: Task, sample: int, cancelled: Callable[[], bool]) -> Reply:
            if cancelled():
                raise UnavailableError("stopped", code="cancelled")
            with self.lock:
                self.asked.append((asked.id, sample, parts))
            if asked.id in self.fails:
                raise UnavailableError(f"{self.base} does not answer.", code="service_down")
            known = int(asked.id[-1]) < self.knows + self.adds * len(parts)
            text = f"Here:\n```\n{asked.id if known else 'bad'} by {self.base}\n```\n"
            spent = None if self.money is None else self.money * 30
            return Reply(text, tokens_in=10, tokens_out=20, seconds=0.5, spent=spent)

        return Entrant(
            base=self.base,
            base_digest=str(Digest.of(self.base.encode())),
            parts=parts,
            settings={"samples": samples, "knows": self.knows},
            reply=reply,
            recorded=self.recorded,
            cost_class="remote, about 3 per million tokens",
        )
