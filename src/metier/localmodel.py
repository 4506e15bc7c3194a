"""``model.json``: what a local model is, beside its weights: files, template, prompt, parameters.

It knows what the file says and refuses everything it does not know; it reads no weights and no
Modelfile. A model made over another one names the same weights again (the store keeps equal bytes
once), so that each is whole in itself. See ``docs/formats/model.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, ValidationError

from metier.card import Frozen
from metier.errors import CorruptError
from metier.generating import Task, TemplateLanguage
from metier.manifest import canonical_json
from metier.reference import Digest

MODEL_FILE = "model.json"
MOST_TEXT = 1 << 20


def base_digest(weights: Sequence[Digest], projector: Digest | None = None) -> Digest:
    """What adapters are bound to: the digest of a base's weights, in order, and its projector."""
    listed = [str(digest) for digest in weights]
    seen = str(projector) if projector else None
    return Digest.of(canonical_json({"projector": seen, "weights": listed}))


class AdapterPart(Frozen):
    """A GGUF adapter among the parts, its digest's file path, and how strongly it is on."""

    file: str = Field(max_length=200)
    scale: float = 1.0


class OpeningMessage(Frozen):
    """A message that every conversation with the model starts with."""

    role: Literal["system", "user", "assistant"]
    content: str = Field(max_length=MOST_TEXT)


class LocalModelFile(Frozen):
    """What ``model.json`` says.

    Attributes:
        task: What its weights do.
        weights: GGUF parts, the first shard first.
        projector: GGUF part that sees pictures.
        adapters: Adapters over the weights.
        base: ``sha256:…`` over weights and projector: what adapters are bound to.
        parent: Name of the model it was made from, or ``None``.
        source: Where it came from (``hf.co/owner/name@commit``), or ``None``.
        template: Its own template; ``None`` is the one in the GGUF.
        template_language: Of ``template``.
        system: System prompt.
        parameters: In Ollama's names.
        messages: Opening messages.
        licences: Texts.
    """

    format: Literal[1] = 1
    task: Task = "generate"
    weights: tuple[str, ...]
    projector: str | None = None
    adapters: tuple[AdapterPart, ...] = ()
    base: str
    parent: str | None = Field(default=None, max_length=600)
    source: str | None = Field(default=None, max_length=600)
    template: str | None = Field(default=None, max_length=MOST_TEXT)
    template_language: TemplateLanguage = "jinja"
    system: str = Field(default="", max_length=MOST_TEXT)
    parameters: dict[str, Any] = Field(default_factory=dict)
    messages: tuple[OpeningMessage, ...] = ()
    licences: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical_json(self.model_dump(mode="json", exclude_none=True))

    @classmethod
    def from_bytes(cls, data: bytes) -> LocalModelFile:
        """Parse and check; raises CorruptError (code ``bad_model``) naming the field."""
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the document"
            raise CorruptError(
                f"{MODEL_FILE} is not valid: {where}: {first['msg']}.", code="bad_model"
            ) from error
