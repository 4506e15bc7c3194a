"""The general model as a classifier: any OpenAI-compatible chat service, asked fairly.

It knows constrained labels and how to read an answer, of texts and of pictures; it knows no file,
no environment and no price list, and calls are ``calling``'s matter. A fair baseline (field notes
in ``docs/explanation/verdicts.md``) gets the label names, examples retrieved from the same
training rows, a constrained answer and one second chance when the answer is not a label.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from metier.engines.calling import Caller
from metier.engines.showing import SHOWN_VERSION, data_address
from metier.errors import MetierError, UnavailableError
from metier.features import fold
from metier.manifest import canonical_json
from metier.messages import Answer, Example
from metier.picturing import Pictures
from metier.reference import Digest
from metier.services import Service, check_service

__all__ = ["BATCH", "GeneralSystem", "Service", "check_service"]

PROMPT_VERSION = 1
"""Part of the digest: another prompt is another system."""

NO_LABEL = 'That is not one of the labels. Reply with JSON: {"label": "..."}'
"""What is said to an answer that is no label, once."""

BATCH = 16
"""Items between two writes of the journal: what a crash can cost in paid answers."""

Nearest = Callable[[Sequence[str]], list[list[Example]]]
"""For each text, the training examples most like it, nearest first."""


@dataclass(frozen=True)
class GeneralSystem:
    """A general model under test on a closed set of labels.

    ``nearest`` gives the retrieved examples, from rows whose digest is ``source``; ``None`` asks
    it zero-shot. With ``pictures`` the texts are digests of pictures, and it is shown the pictures.
    """

    service: Service
    labels: tuple[str, ...]
    nearest: Nearest | None = None
    examples: int = 0
    source: str = ""
    pictures: Pictures | None = None

    @property
    def name(self) -> str:
        """Model name and how it was asked."""
        how = f"{self.examples} examples" if self.nearest else "zero-shot"
        return f"{self.service.model} ({how})"

    @property
    def digest(self) -> str:
        """Over address, model, date, labels and the way of asking; not the key."""
        return str(
            Digest.of(
                canonical_json(
                    {
                        "url": self.service.url,
                        "model": self.service.model,
                        "date": self.service.date,
                        "labels": list(self.labels),
                        "examples": [self.examples, self.source] if self.nearest else 0,
                        "prompt": PROMPT_VERSION,
                        **({"pictures": SHOWN_VERSION} if self.pictures is not None else {}),
                    }
                )
            )
        )

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """One answer per text, ``service.parallel`` calls at once.

        Raises:
            UnavailableError: The service refused the key or cannot be reached at all. A single
                text that fails after all attempts is an ``Answer`` with ``error``.
        """
        shown = self.nearest(texts) if self.nearest else [[] for _ in texts]
        caller = Caller(self.service)
        try:
            with ThreadPoolExecutor(self.service.parallel) as pool:
                return list(
                    pool.map(lambda pair: self._one(caller, *pair), zip(texts, shown, strict=True))
                )
        finally:
            caller.close()

    def _one(self, caller: Caller, text: str, shown: Sequence[Example]) -> Answer:
        start = time.perf_counter()
        messages = self._messages(text, shown)
        tokens_in = tokens_out = 0
        label: str | None = None
        reply = ""
        for _chance in range(2):
            body = self._call(caller, messages)
            if isinstance(body, str):
                return Answer(None, time.perf_counter() - start, tokens_in, tokens_out, error=body)
            usage = body.get("usage") or {}
            tokens_in += int(usage.get("prompt_tokens") or 0)
            tokens_out += int(usage.get("completion_tokens") or 0)
            reply = _reply_text(body)
            label = label_in(reply, self.labels)
            if label is not None:
                break
            messages = [
                *messages,
                {"role": "assistant", "content": reply[:500]},
                {"role": "user", "content": NO_LABEL},
            ]
        # An answer that is no label is wrong, not unscored: the model was heard.
        return Answer(
            label or reply[:200] or "(empty)", time.perf_counter() - start, tokens_in, tokens_out
        )

    def _messages(self, text: str, shown: Sequence[Example]) -> list[dict[str, Any]]:
        kind = "text" if self.pictures is None else "picture"
        system = label_instruction(self.labels, kind)
        # The nearest example stands last, beside the question.
        examples = [
            message
            for example in reversed(shown)
            for message in (
                {"role": "user", "content": self._content(example.text)},
                {"role": "assistant", "content": json.dumps({"label": example.label})},
            )
        ]
        asked = {"role": "user", "content": self._content(text)}
        return [{"role": "system", "content": system}, *examples, asked]

    def _content(self, text: str) -> str | list[dict[str, Any]]:
        """What a message says: a text, or the picture of that digest."""
        if self.pictures is None:
            return text
        address = data_address(self.pictures.get(text))
        return [{"type": "image_url", "image_url": {"url": address}}]

    def _call(self, caller: Caller, messages: list[dict[str, Any]]) -> dict[str, Any] | str:
        """The response's body, or a sentence that says why there is none."""
        request: dict[str, Any] = {
            "model": self.service.model,
            "messages": messages,
            "temperature": 0,
            "response_format": constraint(self.labels),
        }
        try:
            return caller.body(request)
        except MetierError as error:
            if error.code == "service_refused":
                raise UnavailableError(
                    f"The general model {self.service.model!r} refused: {error.message}",
                    code="general_refused",
                    remedy="Check METIER_GENERAL_URL, METIER_GENERAL_MODEL and the key.",
                ) from error
            if error.code == "service_unreachable":
                # Nobody is there: the other texts would only wait as long for the same.
                raise UnavailableError(
                    f"The general model {self.service.model!r} cannot be reached: {error.message}",
                    code="general_unreachable",
                    remedy="Check METIER_GENERAL_URL and the network.",
                    retryable=True,
                ) from error
            return error.message


def label_instruction(labels: Sequence[str], kind: str = "text") -> str:
    """What a model that writes is told, so that it answers with one of ``labels``."""
    listed = "\n".join(labels)
    return (
        f"Classify the {kind} into exactly one of the labels below. Reply with JSON like "
        f'{{"label": "..."}} and nothing else.\n\nLabels:\n{listed}'
    )


def constraint(labels: Sequence[str]) -> dict[str, Any]:
    """The ``response_format`` that allows an answer with one of ``labels`` only."""
    schema = {
        "type": "object",
        "properties": {"label": {"type": "string", "enum": list(labels)}},
        "required": ["label"],
        "additionalProperties": False,
    }
    return {
        "type": "json_schema",
        "json_schema": {"name": "label", "strict": True, "schema": schema},
    }


def label_in(reply: str, labels: Sequence[str]) -> str | None:
    """The label that a reply names: as JSON, or as the whole reply after folding."""
    text = reply.strip().removeprefix("```json").removeprefix("```").removesuffix("```").strip()
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    if isinstance(value, dict):
        value = value.get("label")
    if not isinstance(value, str):
        return None
    if value in labels:
        return value
    folded = {fold(label): label for label in labels}
    return folded.get(fold(value))


def _reply_text(body: dict[str, Any]) -> str:
    try:
        content = body["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        return ""
    return content if isinstance(content, str) else ""
