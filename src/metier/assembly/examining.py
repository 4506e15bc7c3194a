"""Executed evals: what answers for a specialist over a base, with some of its parts.

It knows how parts, a base and a task become an answer of the policy; tasks, verdicts and tables
are ``examine``'s. Recorded answers are asked here and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.answer import Means, Plan, answer
from metier.assembly.bases import REPLAY, Bases
from metier.assembly.conversations import Conversant, Conversations, plan_of
from metier.assembly.toolbox import Toolbox
from metier.assembly.workbench import today
from metier.coding import Tool
from metier.conversing import Generator, Manner, Reply, Sampling, Searcher, Turn
from metier.errors import InputError, NotFoundError
from metier.fleet import Fleet
from metier.hardware import cpu_class, usable_cores
from metier.settings import Settings
from metier.version import __version__

if TYPE_CHECKING:
    from metier.engines.replay import ReplayGenerator
    from metier.evals.executing import Entrant
    from metier.evals.tasks import Task
    from metier.examine.bases import BaseExaminer

SUITES = Path(__file__).parents[1] / "suites"
PARTS = ("prompt", "docs", "tools")
"""What a specialist adds to a base. The prompt goes with every other part; alone it can be asked
for too."""


@dataclass(frozen=True)
class Examining:
    """Puts the examiner of bases together."""

    settings: Settings
    fleet: Fleet
    bases: Bases
    conversations: Conversations
    toolbox: Toolbox

    def examiner(self) -> BaseExaminer:
        """For measuring bases under chat specialists."""
        from metier.examine.bases import BaseExaminer

        cores = usable_cores()
        return BaseExaminer(
            suites=SUITES,
            home=self.settings.home,
            tools=self.toolbox.on,
            entrant=self.entrant,
            specialist_digest=lambda name: str(self.fleet.show(name).digest),
            sandbox=_sandbox_kind,
            today=today(),
            machine={"processor": cpu_class(), "cores": cores},
            version=__version__,
            workers=cores,
        )

    def entrant(self, name: str, base: str, parts: tuple[str, ...], samples: int) -> Entrant:
        """What answers: a base alone, or with parts of a specialist.

        Raises:
            InputError: There is no such part, or the specialist lacks it (``bad_part``).
            NotFoundError: No such specialist or base; a pack of the specialist is not here
                (``no_pack``).
        """
        from metier.evals.executing import Entrant

        conversant = self.conversations.conversant(name)
        generator = self._generator(base)
        means, settings = self._means(conversant, parts)
        plan = _plan(conversant, parts)
        recorded = not generator.servable

        def reply(task: Task, sample: int, stop: Callable[[], bool]) -> Reply:
            asked = _at(generator, task.id, sample) if recorded else generator
            own = plan
            if samples > 1:
                own = replace(plan, sampling=replace(plan.sampling, seed=sample))
            return answer(
                [Turn("user", task.prompt)], own, replace(means, generator=asked), cancelled=stop
            )

        return Entrant(
            base=generator.name,
            base_digest=generator.digest,
            parts=parts,
            settings={**settings, "plan": _settings_of(plan)},
            reply=reply,
            recorded=recorded,
            cost_class="recorded answers" if recorded else cost_class(self.bases.price(base)),
        )

    def _generator(self, base: str) -> Generator:
        if not base.startswith(REPLAY):
            return self.bases.generator(base)
        from metier.engines.replay import ReplayGenerator

        path, _, model = base.removeprefix(REPLAY).partition("#")
        return ReplayGenerator(Path(path), model=model or None)

    def _means(self, conversant: Conversant, parts: Sequence[str]) -> tuple[Means, dict[str, Any]]:
        """Documents and tools that take part, and their digests."""
        name = conversant.installed.name
        for part in parts:
            if part not in PARTS:
                raise InputError(
                    f"{part[:40]!r} is no part of a specialist.",
                    code="bad_part",
                    remedy=f"Parts are {', '.join(PARTS)}.",
                )
        searcher: Searcher | None = None
        tools: tuple[Tool, ...] = ()
        settings: dict[str, Any] = {}
        if "docs" in parts:
            searcher = self._searcher(conversant)
            settings["packs"] = searcher.digest
        if "tools" in parts:
            if not conversant.file.tools:
                raise InputError(f"{name!r} has no tools.", code="bad_part")
            tools = tuple(
                self.toolbox.open(tool, conversant.file.versions) for tool in conversant.file.tools
            )
            settings["tools"] = {tool.name: tool.digest for tool in tools}
        return Means(searcher=searcher, tools=tools, evaluating=True), settings

    def _searcher(self, conversant: Conversant) -> Searcher:
        packs = conversant.file.packs
        if not packs:
            raise InputError(
                f"{conversant.installed.name!r} has no document packs.", code="bad_part"
            )
        for pack in packs:
            try:
                self.fleet.show(pack)
            except NotFoundError as error:
                raise NotFoundError(
                    f"The pack {pack!r} is not here, so documents cannot be measured.",
                    code="no_pack",
                    remedy=f"Run: metier make {pack}",
                ) from error
        searcher = self.conversations.searcher(conversant)
        if searcher is None:
            raise NotFoundError(f"{packs[0]!r} is not here.", code="no_pack")
        return searcher


def cost_class(price: float | None) -> str:
    """``remote, about 3 per million tokens``: the price to the nearest factor of three."""
    if price is None:
        return "remote, price not known"
    if price <= 0:
        return "remote, free"
    # 1, 3, 10, 30, …: half a power of ten is a factor of 3.16.
    step = round(2 * math.log10(price))
    value = 10.0 ** (step // 2) * (3 if step % 2 else 1)
    return f"remote, about {value:g} per million tokens"


def _plan(conversant: Conversant, parts: Sequence[str]) -> Plan:
    """The specialist's plan with these parts; the base alone gets the task and nothing else."""
    manner = Manner(documents="docs" in parts, tools="tools" in parts)
    plan = plan_of(conversant, None, manner)
    if parts:
        return plan
    return replace(plan, prompt="", candidates=1, repairs=0)


def _settings_of(plan: Plan) -> dict[str, Any]:
    values = asdict(plan)
    values["sampling"] = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values["sampling"].items()
    }
    return values


def _at(generator: Generator, task: str, sample: int) -> ReplayGenerator:
    """Recorded answers to a task, from the ``sample``-th one on."""
    from metier.engines.replay import ReplayGenerator

    if not isinstance(generator, ReplayGenerator):
        raise TypeError(f"{generator.name} holds no recorded answers.")
    recorded = generator.at(task)
    for _ in range(sample - 1):
        recorded.generate([Turn("user", "")], Sampling())
    return recorded


def _sandbox_kind() -> str:
    """Names the sandbox; raises UnavailableError (``no_sandbox``) where there is none."""
    from metier.sandbox import detect

    return str(detect().kind)
