"""``specialist.json`` of a chat specialist: everything that answers but the base.

It knows what the file says and refuses everything it does not know: an artifact names tools,
toolchains and packs; it brings no code, no lock file and no address. Those of classifiers and of
document packs belong to the engine and the index that read them. See
``docs/formats/specialist.md``.
"""

from __future__ import annotations

import json
from typing import Literal

from pydantic import Field, ValidationError

from metier.card import Frozen
from metier.errors import CorruptError
from metier.manifest import canonical_json
from metier.recipe import ChatAnswer, ChatRecipe, ChatSampling
from metier.recipe.naming import Named, PluginName, ToolchainName

SPECIALIST_FILE = "specialist.json"
PROMPT_FILE = "prompt.md"


class ChatFile(Frozen):
    """What ``specialist.json`` of task ``chat`` says; see ``ChatAnswer`` for the fields.

    ``prompt`` is the file that holds the system prompt, ``base`` the base that it prefers.
    """

    format: Literal[1] = 1
    task: Literal["chat"] = "chat"
    domain: str = "general"
    prompt: Literal["prompt.md"] = "prompt.md"
    base: str | None = Field(default=None, max_length=200)
    packs: tuple[Named, ...] = ()
    tools: tuple[PluginName, ...] = ()
    toolchains: tuple[ToolchainName, ...] = ()
    passages: int = 5
    candidates: int = 1
    repairs: int = 2
    sampling: ChatSampling = ChatSampling()

    @property
    def versions(self) -> dict[str, str]:
        """Toolchain by kind: ``{"svelte": "svelte@5"}``."""
        return {name.partition("@")[0]: name for name in self.toolchains}

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical_json(self.model_dump(mode="json", exclude_none=True))

    @classmethod
    def of(cls, recipe: ChatRecipe) -> ChatFile:
        """What a recipe comes to."""
        answer = recipe.answer
        return cls(
            domain=recipe.specialist.domain,
            base=recipe.base.ref,
            packs=answer.packs,
            tools=answer.tools,
            toolchains=answer.toolchains,
            passages=answer.passages,
            candidates=answer.candidates,
            repairs=answer.repairs,
            sampling=answer.sampling,
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> ChatFile:
        """Parse and check; raises CorruptError (code ``bad_specialist``) naming the field."""
        try:
            file = cls.model_validate_json(data)
            # The bounds of a recipe hold for what comes from elsewhere too.
            own = {"format", "task", "domain", "prompt", "base"}
            ChatAnswer(prompt="-", **file.model_dump(exclude=own))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the document"
            raise CorruptError(
                f"{SPECIALIST_FILE} is not valid: {where}: {first['msg']}.", code="bad_specialist"
            ) from error
        return file


def task_of(data: bytes) -> str | None:
    """The task that a ``specialist.json`` names, or ``None`` if it names none."""
    try:
        document = json.loads(data)
    except ValueError:
        return None
    task = document.get("task") if isinstance(document, dict) else None
    return task if isinstance(task, str) else None
