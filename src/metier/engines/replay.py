"""Recorded answers as a base: the same answers in the same order, every time.

It reads JSON Lines; it calls nobody. It proves plumbing and policies on what models really wrote;
it may not answer people (``servable`` is false), because it answers only what was recorded.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from metier.conversing import Draft, OnText, Sampling, Turn
from metier.errors import InputError, NotFoundError, UnavailableError
from metier.manifest import canonical_json
from metier.reference import Digest

PIECE = 80
"""Characters of a piece when a recorded answer is streamed."""


class ReplayGenerator:
    """Recorded answers behind ``conversing.Generator``; the n-th call gives the n-th answer.

    A line holds ``text`` and what it answers: ``task`` (a name, for ``at``), or ``prompt`` (the
    words that the last user turn ends with), or both; beside them ``model``, ``tokens_in``,
    ``tokens_out``, ``seconds``, ``finish``. Answers of one task stay in the order of the file.

    Args:
        path: The file; ``.gz`` is read as gzip.
        model: Keep this model's lines only.

    Raises:
        NotFoundError: No such file, or no line of that model.
        InputError: A line is not as above (code ``bad_replay``).
    """

    def __init__(self, path: Path, *, model: str | None = None) -> None:
        records = [
            record for record in _records(path) if model is None or record.get("model") == model
        ]
        if not records:
            whose = f" of {model!r}" if model else ""
            raise NotFoundError(f"{path} holds no answers{whose}.", code="no_recorded_answer")
        digest = str(Digest.of(canonical_json([dict(record) for record in records])))
        self._set(f"replay:{path.name}" + (f"#{model}" if model else ""), digest, records)

    @classmethod
    def of(cls, name: str, records: Sequence[Mapping[str, Any]]) -> ReplayGenerator:
        """Recorded answers that are in memory already, as ``replay:NAME``."""
        for number, record in enumerate(records, start=1):
            _check(name, number, record)
        made = cls.__new__(cls)
        digest = str(Digest.of(canonical_json([dict(record) for record in records])))
        made._set(f"replay:{name}", digest, records)
        return made

    def _set(self, name: str, digest: str, records: Sequence[Mapping[str, Any]]) -> None:
        self._name, self._digest = name, digest
        self._task: str | None = None
        self._answers: dict[str, list[Mapping[str, Any]]] = {}
        self._prompts: dict[str, str] = {}
        for record in records:
            task = str(record.get("task") or record["prompt"])
            self._answers.setdefault(task, []).append(record)
            if record.get("prompt"):
                self._prompts[str(record["prompt"]).rstrip()] = task
        self._given: dict[str, int] = {}
        self._lock = threading.Lock()

    def at(self, task: str) -> ReplayGenerator:
        """The same answers from their first one on, to this task whatever is asked.

        Raises:
            NotFoundError: Nothing was recorded for the task.
        """
        if task not in self._answers:
            raise NotFoundError(
                f"{self._name} holds no answer to {task[:80]!r}.", code="no_recorded_answer"
            )
        made = ReplayGenerator.__new__(ReplayGenerator)
        made._name, made._digest = self._name, self._digest
        made._task, made._answers, made._prompts = task, self._answers, self._prompts
        made._given, made._lock = {}, threading.Lock()
        return made

    @property
    def name(self) -> str:
        """``replay:FILE`` and the model, if one was chosen."""
        return self._name

    @property
    def digest(self) -> str:
        """Over the recorded lines."""
        return self._digest

    @property
    def servable(self) -> bool:
        """Never: it knows only the questions that were recorded."""
        return False

    @property
    def tasks(self) -> tuple[str, ...]:
        """What was recorded, in the order of the file."""
        return tuple(self._answers)

    def generate(
        self,
        turns: Sequence[Turn],
        sampling: Sampling,
        *,
        on_text: OnText | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Draft:
        """The next recorded answer; ``sampling`` changes nothing.

        Raises:
            NotFoundError: ``no_recorded_answer``: nothing was recorded for these turns.
            UnavailableError: ``replay_exhausted``: there were no more.
            InputError: ``cancelled``.
        """
        del sampling
        if cancelled is not None and cancelled():
            raise InputError("Stopped before the end.", code="cancelled")
        task = self._task or self._asked(turns)
        answers = self._answers[task]
        with self._lock:
            number = self._given.get(task, 0)
            if number >= len(answers):
                raise UnavailableError(
                    f"{self._name} holds {len(answers)} answers to {task[:80]!r}, and all are "
                    "given.",
                    code="replay_exhausted",
                )
            self._given[task] = number + 1
        record = answers[number]
        text = str(record["text"])
        if on_text is not None:
            for start in range(0, len(text), PIECE):
                on_text(text[start : start + PIECE])
        return Draft(
            text=text,
            tokens_in=int(record.get("tokens_in") or 0),
            tokens_out=int(record.get("tokens_out") or 0),
            seconds=float(record.get("seconds") or 0.0),
            finish=str(record.get("finish") or "stop"),
        )

    def _asked(self, turns: Sequence[Turn]) -> str:
        last = next((turn.text for turn in reversed(turns) if turn.role == "user"), "").rstrip()
        fitting = [prompt for prompt in self._prompts if last.endswith(prompt)]
        if not fitting:
            raise NotFoundError(
                f"{self._name} holds no answer to what was asked.",
                code="no_recorded_answer",
                remedy="Recorded answers know their own prompts only.",
            )
        return self._prompts[max(fitting, key=len)]


def _records(path: Path) -> Iterable[Mapping[str, Any]]:
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}.", code="no_recorded_answer")
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as text.", code="bad_replay") from error
    # Not splitlines: it would also part lines at characters that JSON may hold.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                record = json.loads(line)
            except ValueError as error:
                raise InputError(
                    f"{path}: line {number} is not JSON.", code="bad_replay"
                ) from error
            _check(str(path), number, record)
            yield record


def _check(where: str, number: int, record: Any) -> None:
    usable = isinstance(record, Mapping) and isinstance(record.get("text"), str)
    if not usable or not (record.get("task") or record.get("prompt")):
        raise InputError(
            f"{where}: line {number} has no text, or neither task nor prompt.",
            code="bad_replay",
            remedy='Write {"task": "counter", "text": "…"} a line.',
        )
