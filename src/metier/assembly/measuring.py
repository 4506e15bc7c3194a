"""What an executed eval is handed: tasks, tools on their toolchains, bases under a specialist.

It knows how a specialist, a base and the parts that were asked for become something that answers
tasks; in which order tasks are asked and what counts is ``examine``'s matter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from metier.answer import Budget, Means, Plan, answer
from metier.assembly.bases import REPLAY, Bases
from metier.assembly.conversations import Conversant, Conversations, plan_of
from metier.assembly.toolbox import Toolbox
from metier.assembly.workbench import today
from metier.coding import Tool
from metier.conversing import Generator, Manner, Reply, Sampling, Searcher, Turn, base_of
from metier.errors import InputError, NotFoundError, UnavailableError
from metier.hardware import cpu_class, memory_bytes, usable_cores
from metier.ledger import Ledger
from metier.prices import price_of
from metier.reference import Digest
from metier.services import is_loopback
from metier.settings import Settings
from metier.version import __version__

if TYPE_CHECKING:
    from metier.engines.replay import ReplayGenerator
    from metier.evals.executing import Entrant
    from metier.evals.tasks import Suite, Task
    from metier.examine.bases import BaseExaminer, Examination
    from metier.examine.bound import Bound
    from metier.examine.standings import Standing

SUITES = Path(__file__).resolve().parent.parent / "suites"
PARTS = ("prompt", "docs", "tools")
"""What ``--with`` takes. Where ``prompt`` is not named, every entry has the specialist's prompt."""
ASKERS = 4
"""Tasks that a base is asked side by side, unless its service says fewer."""
SECONDS = 300.0
"""Wall seconds that one answer may take; what is there then is judged."""
THIS_MACHINE = "this machine"
"""The cost class of what runs here."""
WARMTH = 0.8
"""Temperature of several samples, where the specialist says none: they must be able to differ."""


class Measuring:
    """Puts together what executed evals need; threads may share it."""

    def __init__(
        self,
        settings: Settings,
        conversations: Conversations,
        bases: Bases,
        toolbox: Toolbox,
    ) -> None:
        self._settings = settings
        self._conversations = conversations
        self._bases = bases
        self._toolbox = toolbox

    def examiner(self, with_: tuple[str, ...] = PARTS) -> BaseExaminer:
        """What puts tasks to bases; ``with_`` are the parts whose contribution is asked for."""
        from metier.examine.bases import BaseExaminer

        return BaseExaminer(
            suites=SUITES,
            home=self._settings.home / "evals",
            tools=self._toolbox.on,
            entrant=lambda name, base, parts, samples: self.entrant(
                name, base, parts, samples, prompted="prompt" not in with_ or "prompt" in parts
            ),
            specialist_digest=lambda name: str(
                self._conversations.conversant(name).installed.digest
            ),
            sandbox=_sandbox_kind,
            today=today(),
            machine={
                "processor": cpu_class(),
                "cores": usable_cores(),
                "memory_gb": 2 ** round(math.log2(max(1.0, memory_bytes() / 2**30))),
            },
            version=__version__,
            made={"python": self._python, "svelte-bench": self._svelte_bench},
            workers=usable_cores(),
            askers=ASKERS,
        )

    def entrant(
        self, name: str, base: str, parts: tuple[str, ...], samples: int, *, prompted: bool
    ) -> Entrant:
        """A base with some of a specialist's parts.

        Raises:
            InputError: No chat specialist, no such part (``no_part``), or no base.
            NotFoundError: It has no pack or tool here, or there is no such base.
        """
        from metier.evals.executing import Entrant

        conversant = self._conversations.conversant(name)
        for part in parts:
            if part not in PARTS:
                raise InputError(
                    f"There is no part {part[:80]!r}.",
                    code="no_part",
                    remedy=f"Write --with {','.join(PARTS[1:])}; 'prompt' is known too.",
                )
        plan = _plan(conversant, parts, samples, prompted)
        searcher = self._searcher(conversant) if plan.documents else None
        tools = self._own_tools(conversant) if plan.tools else ()
        generator = self._generator(base)
        asker = _Asker(plan, generator, searcher, tools)
        return Entrant(
            base=generator.name,
            base_digest=generator.digest,
            parts=parts,
            settings=_settings(plan, searcher, tools, samples),
            reply=asker.reply,
            recorded=not generator.servable,
            cost_class=self._cost_class(base),
            askers=self._askers(base),
        )

    def _python(self) -> Suite:
        """HumanEval and MBPP, from the mirror, the cache, or fetched at their commits."""
        from metier.examine.borrowed import borrowed_suite

        cache = self._settings.home / "cache"
        return borrowed_suite(SUITES / "python", mirror=self._settings.mirror, cache=cache)

    def _svelte_bench(self) -> Suite:
        """The tasks on which others recorded general models; see ``histories``."""
        from metier.examine.borrowed import prompted_suite

        cache = self._settings.home / "cache"
        folder = SUITES / "svelte-bench"
        return prompted_suite(folder, mirror=self._settings.mirror, cache=cache)

    def _searcher(self, conversant: Conversant) -> Searcher:
        searcher = self._conversations.searcher(conversant)
        if searcher is None:
            packs = conversant.file.packs
            raise NotFoundError(
                f"{conversant.installed.name!r} has no document pack here, so 'docs' adds nothing.",
                code="no_pack",
                remedy=f"Run: metier make {packs[0]}" if packs else "Leave 'docs' out of --with.",
            )
        return searcher

    def _own_tools(self, conversant: Conversant) -> tuple[Tool, ...]:
        found = tuple(self._conversations.tools(conversant))
        if not found:
            raise NotFoundError(
                f"{conversant.installed.name!r} has no tool here, so 'tools' adds nothing.",
                code="no_tool",
                remedy="Leave 'tools' out of --with.",
            )
        return found

    def _generator(self, base: str) -> Generator:
        """A base for an eval: here, and only here, recorded answers may answer."""
        if not base.startswith(REPLAY):
            return self._bases.generator(base_of(base))
        from metier.engines.replay import ReplayGenerator

        path, _, model = base.removeprefix(REPLAY).partition("#")
        return ReplayGenerator(Path(path), model=model or None)

    def _askers(self, base: str) -> int:
        """As many as its service takes; one on this machine, so that its seconds are its own."""
        if self._bases.is_local(base):
            return 1
        entry = self._bases.services().get(base.partition(":")[2])
        if entry is None or base.startswith(REPLAY):
            return ASKERS
        if is_loopback(urlsplit(entry.url).hostname or ""):
            return 1
        return min(ASKERS, entry.parallel)

    def _cost_class(self, base: str) -> str:
        """What a person pays: the blended price to the nearest factor of three."""
        if base.startswith(REPLAY):
            return "recorded"
        if self._bases.is_local(base):
            return THIS_MACHINE
        name = base.partition(":")[2]
        entry = self._bases.services().get(name)
        model = entry.model if entry else (self._settings.general_model or "")
        return cost_class(*price_of(self._settings.prices, model))


class _Asker:
    """Asks one base, in one way, one task at a time."""

    def __init__(
        self, plan: Plan, generator: Generator, searcher: Searcher | None, tools: tuple[Tool, ...]
    ) -> None:
        self._plan, self._generator = plan, generator
        self._searcher, self._tools = searcher, tools

    def reply(self, task: Task, sample: int, cancelled: Callable[[], bool]) -> Reply:
        """The policy's reply to a task; no behaviour is given to it."""
        from metier.engines.replay import ReplayGenerator

        generator = self._generator
        if isinstance(generator, ReplayGenerator):
            generator = _recorded(generator, task, sample)
        seed = 100 * (sample - 1)
        plan = replace(self._plan, sampling=replace(self._plan.sampling, seed=seed))
        means = Means(generator, self._searcher, self._tools, evaluating=True)
        turns = [Turn("user", task.question)]
        return answer(turns, plan, means, budget=Budget(seconds=SECONDS), cancelled=cancelled)


def standings_of(ledger: Ledger, name: str) -> list[Standing]:
    """Which bases were measured under a specialist, best evidence first."""
    rows = ledger.rows("result", name)
    if not rows:
        # What reads a table loads scipy, which the first page of a specialist need not wait for.
        return []
    from metier.examine.standings import standings

    return standings((str(row.digest), row.body) for row in rows)


def record(ledger: Ledger, examination: Examination, bound: Bound | None = None) -> None:
    """Append a table and, where it measured something, its evidence to the ledger."""
    from metier.examine.standings import kept

    for kind, digest, body in kept(examination, bound):
        ledger.append(kind, examination.table.specialist, Digest.parse(digest), body)


def cost_class(price_in: float | None, price_out: float | None) -> str:
    """``remote, about 3 per million tokens``: three prompt tokens to one of an answer."""
    if price_in is None or price_out is None:
        return "remote, price not known"
    blended = (3.0 * price_in + price_out) / 4.0
    if blended <= 0.0:
        return "remote, free"
    steps = [10.0**power * one for power in range(-4, 5) for one in (1.0, 3.0)]
    nearest = min(steps, key=lambda step: abs(math.log(step / blended)))
    return f"remote, about {nearest:g} per million tokens"


def _plan(conversant: Conversant, parts: tuple[str, ...], samples: int, prompted: bool) -> Plan:
    """The specialist's way of answering with some of its parts; one sample has temperature 0."""
    own = conversant.file.sampling.temperature
    temperature = 0.0 if samples == 1 else (WARMTH if own is None or own == 0.0 else own)
    manner = Manner(documents="docs" in parts, tools="tools" in parts)
    plan = plan_of(conversant, Sampling(temperature=temperature), manner)
    return plan if prompted else replace(plan, prompt="")


def _settings(
    plan: Plan, searcher: Searcher | None, tools: tuple[Tool, ...], samples: int
) -> dict[str, Any]:
    """Everything but the base that can change an answer, as JSON."""
    sampling = plan.sampling
    found: dict[str, Any] = {
        "prompt": str(Digest.of(plan.prompt.encode())) if plan.prompt else None,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        "seeds": "100 apart" if samples > 1 else "0",
        "seconds": SECONDS,
    }
    if searcher is not None:
        found["docs"] = {
            "name": searcher.name,
            "digest": searcher.digest,
            "top": plan.top,
            "characters": plan.passage_characters,
        }
    if tools:
        found["tools"] = {tool.name: tool.digest for tool in tools}
        found["candidates"] = plan.candidates
        found["further_temperature"] = plan.further_temperature
        found["repairs"] = plan.repairs
        found["mend"] = plan.mend
    return found


def _recorded(generator: ReplayGenerator, task: Task, sample: int) -> Generator:
    """The recorded answers to a task, from the one of this sample on."""
    try:
        found = generator.at(task.id)
    except NotFoundError:
        found = generator.at(task.prompt.strip())
    for _ in range(sample - 1):
        found.generate([], Sampling())
    return found


def _sandbox_kind() -> str:
    """Raises UnavailableError (``no_sandbox``): nothing is executed outside one."""
    from metier.sandbox import detect

    try:
        return str(detect().kind)
    except UnavailableError as error:
        raise UnavailableError(
            f"An executed eval needs a sandbox. {error.message}",
            code=error.code,
            remedy=error.remedy,
        ) from error
