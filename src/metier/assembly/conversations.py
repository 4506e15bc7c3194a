"""Chat specialists at work: which prompt, packs, tools and base stand behind a name.

It knows how the parts of a chat specialist become a plan and the means to follow it, and what is
missing here with the one command that mends it. How an answer is found is the policy's matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from metier import plugins
from metier.answer import Budget, Means, Plan, answer, explain, overlaid
from metier.assembly.bases import BaseChoice, Bases, Standings
from metier.assembly.shelves import Library
from metier.assembly.toolbox import Toolbox
from metier.card import ChatCard
from metier.coding import Checked, Diagnostic, Mended, SourceFile, Tool
from metier.conversing import (
    Manner,
    OnStep,
    OnText,
    Passage,
    Reply,
    Sampling,
    Searcher,
    Turn,
)
from metier.errors import InputError, MetierError, NotFoundError, UnavailableError
from metier.fleet import Fleet, Installed
from metier.settings import Settings
from metier.specialist import PROMPT_FILE, SPECIALIST_FILE, ChatFile
from metier.toolchains import Toolchains


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that a specialist would use and that is not here; the rest works without it.

    Attributes:
        kind: ``pack``, ``node``, ``toolchain``, ``tool``, ``sandbox`` or ``base``.
        name: Of what is missing.
        message: A sentence: what does not work without it.
        command: The one command that mends it.
    """

    kind: str
    name: str
    message: str
    command: str


@dataclass(frozen=True)
class Conversant:
    """A chat specialist as it is installed: its card, its file and its prompt."""

    installed: Installed
    card: ChatCard
    file: ChatFile
    prompt: str


class Conversations:
    """The chat specialists of one fleet; threads may share it."""

    def __init__(
        self,
        settings: Settings,
        fleet: Fleet,
        library: Library,
        bases: Bases,
        toolchains: Toolchains,
        toolbox: Toolbox,
        standings: Standings,
    ) -> None:
        self._settings = settings
        self._fleet = fleet
        self._library = library
        self._bases = bases
        self._toolchains = toolchains
        self._toolbox = toolbox
        self._standings = standings

    def conversant(self, name: str) -> Conversant:
        """A chat specialist.

        Raises:
            NotFoundError: There is none of this name.
            InputError: It is something else (code ``not_a_chat_specialist``).
        """
        installed = self._fleet.show(name)
        if installed.chat is None:
            raise InputError(
                f"{installed.name!r} is no chat specialist.",
                code="not_a_chat_specialist",
                remedy="'metier list' shows the task of each.",
            )
        file = ChatFile.from_bytes(self._fleet.read_part(installed, SPECIALIST_FILE))
        prompt = self._fleet.read_part(installed, PROMPT_FILE).decode("utf-8", "replace")
        return Conversant(installed, installed.chat, file, prompt)

    def answer(
        self,
        name: str,
        turns: Sequence[Turn],
        *,
        base: str | Path | None,
        sampling: Sampling | None,
        manner: Manner,
        on_text: OnText | None,
        on_step: OnStep | None,
        cancelled: Callable[[], bool],
    ) -> Reply:
        """See ``Metier.answer``."""
        conversant = self.conversant(name)
        ref = base or self._settings.base or conversant_base(conversant)
        generator = self._bases.generator(ref) if ref else None
        choices: Sequence[BaseChoice] = ()
        if generator is None:
            choices = self.choices(conversant)
        means = Means(
            generator=generator,
            searcher=self.searcher(conversant),
            tools=tuple(self.tools(conversant)),
            bases=tuple(choice.line for choice in choices),
        )
        return answer(
            turns,
            plan_of(conversant, sampling, manner),
            means,
            budget=Budget(tokens=manner.tokens, seconds=manner.seconds),
            on_text=on_text,
            on_step=on_step,
            cancelled=cancelled,
        )

    def choices(self, conversant: Conversant) -> list[BaseChoice]:
        """What may be given as base, best evidence first."""
        card = conversant.card
        return self._bases.choices(card, self._standings(card.name))

    def check(self, name: str, files: Sequence[SourceFile]) -> Checked:
        """What its tool finds in the files."""
        return self._tool_for(self.conversant(name), files).check(files)

    def repair(self, name: str, files: Sequence[SourceFile]) -> Mended | None:
        """The files after the tool's deterministic repairs, or ``None`` if no rule applies."""
        tool = self._tool_for(self.conversant(name), files)
        return tool.repair(files, tool.check(files))

    def migrate(self, name: str, files: Sequence[SourceFile]) -> Mended | None:
        """The files brought to the newer version, or ``None`` if there is nothing to change."""
        tool: Any = self._tool_for(self.conversant(name), files)
        if not hasattr(tool, "migrate"):
            raise InputError(
                f"The tool {tool.name} migrates nothing.",
                code="no_migration",
                remedy="The svelte tool brings Svelte 4 to Svelte 5.",
            )
        mended: Mended | None = tool.migrate(files)
        return mended

    def explain(
        self, name: str, files: Sequence[SourceFile]
    ) -> list[tuple[Diagnostic, tuple[Passage, ...]]]:
        """Each diagnostic with the passages of its packs that are about it."""
        conversant = self.conversant(name)
        checked = self._tool_for(conversant, files).check(files)
        return explain(checked, self.searcher(conversant))

    def search(self, name: str, query: str, *, top: int) -> list[Passage]:
        """The best passages of a chat specialist's packs."""
        conversant = self.conversant(name)
        searcher = self.searcher(conversant)
        if searcher is None:
            packs = conversant.file.packs
            raise NotFoundError(
                f"{conversant.installed.name!r} has no document pack here.",
                code="no_pack",
                remedy=f"Run: metier make {packs[0]}" if packs else "It names no pack.",
            )
        return searcher.search(query, top=top)

    def searcher(self, conversant: Conversant) -> Searcher | None:
        """Its installed packs as one."""
        return self._library.shelf(conversant.file.packs)

    def tools(self, conversant: Conversant) -> list[Tool]:
        """Its tools that this machine has, each opened once."""
        found = []
        for name in conversant.file.tools:
            try:
                found.append(self._toolbox.open(name, conversant.file.versions))
            except MetierError:
                continue
        return found

    def lacks(self, name: str, *, base: str | Path | None = None) -> list[Lack]:
        """What it would use and is not here."""
        conversant = self.conversant(name)
        file = conversant.file
        return [
            *_missing_packs(file.packs, self._fleet),
            *self._missing_tools(file.tools),
            *self._missing_toolchains(file.toolchains),
            *self._missing_base(conversant, base),
        ]

    def _tool_for(self, conversant: Conversant, files: Sequence[SourceFile]) -> Tool:
        """The first of its tools that takes files of this kind."""
        if not conversant.file.tools:
            raise InputError(
                f"{conversant.installed.name!r} has no tool, so it checks no files.",
                code="no_tool",
                remedy="Ask it a question instead.",
            )
        tools = [
            self._toolbox.open(name, conversant.file.versions) for name in conversant.file.tools
        ]
        return next((tool for tool in tools if _takes(tool, files)), tools[0])

    def _missing_tools(self, names: Iterable[str]) -> list[Lack]:
        known = plugins.names("tools")
        return [
            Lack(
                "tool",
                name,
                f"The tool {name} is not installed: its kind of code is not checked.",
                f"Install the package that brings the tool {name}.",
            )
            for name in names
            if name not in known
        ]

    def _missing_toolchains(self, names: Sequence[str]) -> list[Lack]:
        if not names:
            return []
        try:
            self._toolchains.node()
        except UnavailableError as error:
            message = f"{error.message} Code is not checked."
            return [Lack("node", "node", message, error.remedy or "Install Node 20 or newer.")]
        found = []
        for name in names:
            try:
                self._toolchains.path(name)
            except MetierError as error:
                message = f"{error.message} Code of that kind is not checked."
                found.append(Lack("toolchain", name, message, f"metier doctor --install {name}"))
        return found

    def _missing_base(self, conversant: Conversant, base: str | Path | None) -> list[Lack]:
        if base or self._settings.base or conversant_base(conversant):
            return []
        named = self._bases.here()
        command = f"--base {named[0]}" if named else f"Write {self._settings.services}"
        message = "No base is named: documents, check and repair work; nothing new is written."
        return [Lack("base", "base", message, command)]


def conversant_base(conversant: Conversant) -> str | None:
    """The base that the specialist was made with, if it prefers one."""
    return conversant.file.base


def plan_of(conversant: Conversant, sampling: Sampling | None, manner: Manner) -> Plan:
    """How a specialist answers, with what the caller says in its place."""
    file = conversant.file
    own = Sampling(
        temperature=file.sampling.temperature,
        top_p=file.sampling.top_p,
        max_tokens=file.sampling.max_tokens,
    )
    plan = Plan(
        prompt=conversant.prompt,
        candidates=file.candidates,
        repairs=file.repairs,
        documents=manner.documents,
        tools=manner.tools,
        top=file.passages,
        sampling=overlaid(own, sampling),
        first_draft=manner.first_draft,
    )
    if manner.candidates is not None:
        plan = replace(plan, candidates=manner.candidates)
    if manner.repairs is not None:
        plan = replace(plan, repairs=manner.repairs)
    return plan


def _missing_packs(names: Iterable[str], fleet: Fleet) -> list[Lack]:
    found = []
    for name in names:
        try:
            fleet.show(name)
        except NotFoundError:
            message = f"The pack {name} is not here: nothing is looked up in the documents."
            found.append(Lack("pack", name, message, f"metier make {name}"))
    return found


def _takes(tool: Tool, files: Sequence[SourceFile]) -> bool:
    """Whether a tool recognises these files, asked as if they stood fenced in an answer."""
    fence = "`" * 8
    answer_text = "\n".join(
        f"{fence}{PurePosixPath(file.path).suffix.lstrip('.')}\n{file.text}\n{fence}"
        for file in files
    )
    return bool(tool.files_of(answer_text))
