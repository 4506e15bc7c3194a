"""The recipe of a chat specialist: a prompt, document packs, tools and evals over any base.

It knows the fields and their bounds. A tool, a toolchain, a pack or an eval is only named, never
brought; the base is chosen by whoever runs it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from metier.card import Frozen
from metier.recipe.domains import GENERAL
from metier.recipe.identity import build_id, recipe_id
from metier.recipe.naming import Named, PluginName, ToolchainName
from metier.recipe.parsing import parsed
from metier.reference import Digest

MOST_NAMES = 8
LONGEST_PROMPT = 20_000


class ChatSpecialist(Frozen):
    """What is made: name, domain and a sentence for people."""

    name: Named
    version: str = "1"
    task: Literal["chat"] = "chat"
    domain: str = GENERAL
    description: str = ""
    licence: str | None = None


class Alternative(Frozen):
    """A base that somebody may get, and what is known of it.

    ``ref`` is a name to ask a service for. ``note`` says where what is known comes from; without
    a result of ours it says so.
    """

    ref: str = Field(min_length=1, max_length=200)
    note: str = Field(default="", max_length=300)


class ChatBase(Frozen):
    """The base that it prefers, if any, and others that would do, best first."""

    ref: str | None = Field(default=None, max_length=200)
    alternatives: tuple[Alternative, ...] = Field(default=(), max_length=20)


class ChatSampling(Frozen):
    """How the base generates where the caller does not say."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1, le=1_000_000)


class ChatAnswer(Frozen):
    """How it answers: retrieve, prompt, generate, check, repair, choose.

    Attributes:
        prompt: The system prompt.
        packs: Document packs that are searched, in this order.
        tools: Tool plugins that check and repair; the first that finds files in an answer does.
        toolchains: The versions that the tools use.
        passages: How many passages go into the prompt.
        candidates: Drafts per question.
        repairs: Rounds in which the base sees the diagnostics.
        sampling: See ``ChatSampling``.
    """

    prompt: str = Field(min_length=1, max_length=LONGEST_PROMPT)
    packs: tuple[Named, ...] = Field(default=(), max_length=MOST_NAMES)
    tools: tuple[PluginName, ...] = Field(default=(), max_length=MOST_NAMES)
    toolchains: tuple[ToolchainName, ...] = Field(default=(), max_length=MOST_NAMES)
    passages: int = Field(default=5, ge=0, le=20)
    candidates: int = Field(default=1, ge=1, le=16)
    repairs: int = Field(default=2, ge=0, le=8)
    sampling: ChatSampling = ChatSampling()

    @model_validator(mode="after")
    def _names_are_single(self) -> ChatAnswer:
        for field in ("packs", "tools", "toolchains"):
            names = getattr(self, field)
            if len(set(names)) != len(names):
                raise ValueError(f"{field} names one of them twice")
        kinds = [name.partition("@")[0] for name in self.toolchains]
        if len(set(kinds)) != len(kinds):
            raise ValueError("toolchains names two versions of one toolchain")
        return self

    @property
    def versions(self) -> dict[str, str]:
        """Toolchain by kind: ``{"svelte": "svelte@5"}``."""
        return {name.partition("@")[0]: name for name in self.toolchains}


class ChatEval(Frozen):
    """The executed evals that it is meant for; the first is the headline."""

    names: tuple[PluginName, ...] = Field(default=(), max_length=MOST_NAMES)


class ChatRecipe(Frozen):
    """A whole recipe of task ``chat``. See ``docs/formats/recipe.md``."""

    format: Literal[1] = 1
    specialist: ChatSpecialist
    base: ChatBase = ChatBase()
    answer: ChatAnswer
    eval: ChatEval = ChatEval()

    @property
    def recipe_id(self) -> Digest:
        """The hash of everything but ``[base]``."""
        return recipe_id(self)

    def build_id(self, *, toolchain: dict[str, str]) -> Digest:
        """The hash of recipe id and toolchain: it has no base and no data of its own."""
        return build_id(self.recipe_id, base_digest=None, data=(), seed=0, toolchain=toolchain)

    def to_dict(self) -> dict[str, Any]:
        """JSON- and TOML-serialisable mapping without empty fields."""
        return self.model_dump(mode="json", exclude_none=True)

    @classmethod
    def from_toml(cls, text: str, *, where: str = "the recipe") -> ChatRecipe:
        """Parse a recipe of task ``chat``; raises InputError (code ``bad_recipe``)."""
        return parsed(cls, text, where=where)
