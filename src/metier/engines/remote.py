"""The general model as a classifier: any OpenAI-compatible chat service, asked fairly.

It knows the chat-completions call, constrained labels and retries; it knows no file, no
environment and no price list. A fair baseline (field notes in ``docs/explanation/verdicts.md``)
gets the label names, examples retrieved from the same training rows, a constrained answer and one
second chance when the answer is not a label. The key is never put into a message or a digest.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from metier.errors import InputError, UnavailableError
from metier.features import fold
from metier.manifest import canonical_json
from metier.messages import Answer, Example
from metier.reference import Digest

PROMPT_VERSION = 1
"""Part of the digest: another prompt is another system."""
ATTEMPTS = 5
RETRYABLE = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
LONGEST_WAIT = 30.0

BATCH = 16
"""Items between two writes of the journal: what a crash can cost in paid answers."""

Nearest = Callable[[Sequence[str]], list[list[Example]]]
"""For each text, the training examples most like it, nearest first."""


@dataclass(frozen=True)
class Service:
    """Where the general model is and what it costs.

    Attributes:
        url: Base address up to and including ``/v1``.
        model: Its name there.
        key: Bearer token, or ``None``; never shown.
        price_in: Price per million prompt tokens, or ``None`` if unknown.
        price_out: Price per million answer tokens.
        date: ISO date; with URL and model it binds the evidence.
        timeout: Seconds for one call.
        parallel: Calls at once.
    """

    url: str
    model: str
    key: str | None = field(default=None, repr=False)
    price_in: float | None = None
    price_out: float | None = None
    date: str = ""
    timeout: float = 60.0
    parallel: int = 4

    def spent(self, tokens_in: int, tokens_out: int) -> float | None:
        """Money for so many tokens, or ``None`` if the price is not known."""
        if self.price_in is None or self.price_out is None:
            return None
        return (tokens_in * self.price_in + tokens_out * self.price_out) / 1e6


@dataclass(frozen=True)
class GeneralSystem:
    """A general model under test on a closed set of labels.

    ``nearest`` gives the retrieved examples, from rows whose digest is ``source``; ``None`` asks
    it zero-shot.
    """

    service: Service
    labels: tuple[str, ...]
    nearest: Nearest | None = None
    examples: int = 0
    source: str = ""

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
        with (
            httpx.Client(timeout=self.service.timeout, headers=self._headers()) as client,
            ThreadPoolExecutor(self.service.parallel) as pool,
        ):
            return list(
                pool.map(lambda pair: self._one(client, *pair), zip(texts, shown, strict=True))
            )

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.service.key}"} if self.service.key else {}

    def _one(self, client: httpx.Client, text: str, shown: Sequence[Example]) -> Answer:
        start = time.perf_counter()
        messages = self._messages(text, shown)
        tokens_in = tokens_out = 0
        label: str | None = None
        reply = ""
        for _chance in range(2):
            body = self._call(client, messages)
            if isinstance(body, str):
                return Answer(None, time.perf_counter() - start, tokens_in, tokens_out, error=body)
            usage = body.get("usage") or {}
            tokens_in += int(usage.get("prompt_tokens") or 0)
            tokens_out += int(usage.get("completion_tokens") or 0)
            reply = _reply_text(body)
            label = self._label(reply)
            if label is not None:
                break
            messages = [
                *messages,
                {"role": "assistant", "content": reply[:500]},
                {
                    "role": "user",
                    "content": 'That is not one of the labels. Reply with JSON: {"label": "..."}',
                },
            ]
        # An answer that is no label is wrong, not unscored: the model was heard.
        return Answer(
            label or reply[:200] or "(empty)", time.perf_counter() - start, tokens_in, tokens_out
        )

    def _messages(self, text: str, shown: Sequence[Example]) -> list[dict[str, str]]:
        labels = "\n".join(self.labels)
        system = (
            "Classify the text into exactly one of the labels below. Reply with JSON like "
            f'{{"label": "..."}} and nothing else.\n\nLabels:\n{labels}'
        )
        # The nearest example stands last, beside the question.
        examples = [
            message
            for example in reversed(shown)
            for message in (
                {"role": "user", "content": example.text},
                {"role": "assistant", "content": json.dumps({"label": example.label})},
            )
        ]
        return [{"role": "system", "content": system}, *examples, {"role": "user", "content": text}]

    def _call(self, client: httpx.Client, messages: list[dict[str, str]]) -> dict[str, Any] | str:
        """The response's body, or a sentence that says why there is none."""
        request: dict[str, Any] = {
            "model": self.service.model,
            "messages": messages,
            "temperature": 0,
            "response_format": self._constraint(),
        }
        failure, unreachable = "", False
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(min(LONGEST_WAIT, 2.0**attempt * (0.5 + random.random() / 2)))  # noqa: S311
            try:
                response = client.post(
                    f"{self.service.url.rstrip('/')}/chat/completions", json=request
                )
            except httpx.HTTPError as error:
                failure = f"{type(error).__name__} from {self.service.url}"
                unreachable = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                continue
            unreachable = False
            if response.status_code == 200:
                return _body(response)
            failure = f"HTTP {response.status_code} from {self.service.url}"
            if response.status_code in (401, 403, 404):
                raise UnavailableError(
                    f"The general model {self.service.model!r} answered {failure}.",
                    code="general_refused",
                    remedy="Check METIER_GENERAL_URL, METIER_GENERAL_MODEL and the key.",
                )
            if response.status_code in (400, 422) and "response_format" in request:
                # Some services do not know JSON schemas; the strict parser then stands alone.
                del request["response_format"]
                continue
            if response.status_code not in RETRYABLE:
                break
        if unreachable:
            # Nobody is there: the other texts would only wait as long for the same.
            raise UnavailableError(
                f"The general model {self.service.model!r} cannot be reached: {failure}.",
                code="general_unreachable",
                remedy="Check METIER_GENERAL_URL and the network.",
                retryable=True,
            )
        return failure

    def _constraint(self) -> dict[str, Any]:
        schema = {
            "type": "object",
            "properties": {"label": {"type": "string", "enum": list(self.labels)}},
            "required": ["label"],
            "additionalProperties": False,
        }
        return {
            "type": "json_schema",
            "json_schema": {"name": "label", "strict": True, "schema": schema},
        }

    def _label(self, reply: str) -> str | None:
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
        if value in self.labels:
            return value
        folded = {fold(label): label for label in self.labels}
        return folded.get(fold(value))


def _body(response: httpx.Response) -> dict[str, Any] | str:
    try:
        body = response.json()
    except ValueError:
        return "the service answered something that is not JSON"
    return body if isinstance(body, dict) else "the service answered JSON of another shape"


def _reply_text(body: dict[str, Any]) -> str:
    try:
        content = body["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        return ""
    return content if isinstance(content, str) else ""


def check_service(service: Service) -> None:
    """Refuse an address that cannot be a service; raises InputError (code ``bad_service``)."""
    if not service.url.startswith(("http://", "https://")):
        raise InputError(
            f"METIER_GENERAL_URL is {service.url[:80]!r}, which is not an http address.",
            code="bad_service",
            remedy="Give the base address up to and including /v1.",
        )
    if not service.model:
        raise InputError(
            "METIER_GENERAL_URL is set but METIER_GENERAL_MODEL is not.",
            code="bad_service",
            remedy="Name the model that the service should answer with.",
        )
