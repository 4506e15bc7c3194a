"""The verdict on a Python answer: two sandboxed processes, and what passes between them.

It hands the answer to one process and the tests to the other, carries their lines to and fro, and
believes only the line that the tests' process tags with this judgement's secret. It knows what an
ended process means for the verdict; it reads nothing else of what is said.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from metier.coding import Behaviour, Judged, SourceFile, Stage
from metier.errors import InputError, UnavailableError
from metier.sandbox import Running
from metier.tools.python.inside.values import Encoder, Refer
from metier.tools.python.processes import Processes

KINDS = ("asserts", "doctests", "pytest")
SECONDS = 10.0
"""What a judgement may take if its behaviour does not say (option ``seconds``)."""
MOST_SECONDS = 60.0
_LAST_WORDS = 2.0
"""Seconds that the tests may take to say where they were when the answer's process ended."""
_STOPPED = {
    "time": "it ran out of time",
    "memory": "it ran out of memory",
    "output": "it printed or replied too much",
    "processes": "it started too many processes",
    "disk": "it wrote too much",
}


@dataclass(frozen=True, slots=True)
class _Order:
    """What the two processes are told: the tests' order, and the answer's as a line."""

    tests: bytes
    answer: bytes
    nonce: str
    seconds: float
    pytest: bool


def judge(processes: Processes, files: Sequence[SourceFile], behaviour: Behaviour) -> Judged:
    """Execute an answer once and say whether it behaves.

    Raises:
        InputError: ``bad_behaviour``: the task is not one that this tool can run.
        UnavailableError: ``no_sandbox``; ``no_pytest``.
    """
    started = time.perf_counter()
    order = _ordered(files, behaviour)
    if isinstance(order, Judged):
        return order
    # The tests' process first: without a sandbox nothing may start.
    with (
        processes.take("pytest" if order.pytest else "tests") as tests,
        processes.take("answer") as answer,
    ):
        found = _Relay(tests, answer, order).run()
    seconds = time.perf_counter() - started
    return Judged(found[0], found[1], found[2], found[3], seconds)


def _ordered(files: Sequence[SourceFile], behaviour: Behaviour) -> _Order | Judged:
    """The orders for both processes, or the verdict if there is nothing to run."""
    options = behaviour.options
    if behaviour.kind not in KINDS:
        raise _bad(f"The python tool has no harness {behaviour.kind!r}; it has {', '.join(KINDS)}.")
    tests = options.get("tests")
    if isinstance(tests, str):
        tests = [tests]
    if not isinstance(tests, list | tuple) or not all(isinstance(test, str) for test in tests):
        raise _bad("The option 'tests' of a Python behaviour is a text or a list of texts.")
    seconds = options.get("seconds", SECONDS)
    if not isinstance(seconds, int | float) or not 0 < seconds <= MOST_SECONDS:
        raise _bad(f"The option 'seconds' is not above 0 and at most {MOST_SECONDS:g}.")
    texts = {file.path: file.text for file in files}
    entry = behaviour.entry or "solution.py"
    if entry not in texts:
        if len(texts) != 1:
            return Judged("failed", "extract", f"The answer has no file {entry!r}.")
        texts = {entry: next(iter(texts.values()))}
    given = {path: text for path, text in behaviour.given.items() if path not in texts}
    module = _module(entry)
    nonce = secrets.token_hex(16)
    modules = sorted({_module(path) for path in texts if path.endswith(".py")} | _folders(texts))
    told = {
        "nonce": nonce,
        "kind": behaviour.kind,
        "setup": str(options.get("setup", "")),
        "tests": list(tests),
        "names": list(options.get("names", ())),
        "stdin": str(options.get("stdin", "")),
        "module": module,
        "modules": modules,
        "given": given,
    }
    loaded = {
        "files": {**given, **texts},
        "entry": entry,
        "module": module,
        "prelude": str(options.get("prelude", "")),
    }
    line = json.dumps(told).encode()
    return _Order(line, _load(loaded), nonce, float(seconds), behaviour.kind == "pytest")


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _folders(texts: dict[str, str]) -> set[str]:
    """The packages that the files lie in."""
    parts = [path.split("/")[:-1] for path in texts if path.endswith(".py")]
    return {".".join(part[:count]) for part in parts for count in range(1, len(part) + 1)}


def _load(order: dict[str, Any]) -> bytes:
    """The request with which the answer's process is given the answer."""

    def refuse(value: Any, _: Refer) -> list[Any]:
        raise TypeError(type(value).__name__)

    encoder = Encoder(refuse)
    message: dict[str, Any] = {
        "do": "load",
        "on": None,
        "name": "",
        "v": [encoder.write(order)],
        "k": {},
    }
    return json.dumps({**message, "n": encoder.nodes, "c": []}).encode()


_Found = tuple[Any, Stage | None, str, int | None]


class _Relay:
    """Carries lines between the two processes until there is a verdict.

    They take turns: whoever received a line sends the next. The first request of the tests is to
    load the answer, whose text is filled in here, so that the tests' process never has it.
    """

    def __init__(self, tests: Running, answer: Running, order: _Order) -> None:
        self._tests, self._answer, self._order = tests, answer, order
        self._until = time.monotonic() + order.seconds
        self._loaded = False
        self._touched = False

    def run(self) -> _Found:
        """The verdict."""
        try:
            self._tests.send(self._order.tests)
            line = self._tests.receive(seconds=self._left())
        except UnavailableError as error:
            return ("unscored", None, f"The tests' process did not start: {error.message}", None)
        while True:
            verdict = self._verdict(line)
            if verdict is not None:
                return verdict
            try:
                self._answer.send(line if self._touched else self._order.answer)
                self._touched = True
                line = self._answer.receive(seconds=self._left())
            except UnavailableError as error:
                return self._answer_ended(error)
            try:
                self._loaded = self._loaded or not line.startswith(b'{"do"')
                self._tests.send(line)
                line = self._tests.receive(seconds=self._left())
            except UnavailableError as error:
                return self._tests_ended(error)

    def _left(self) -> float:
        return max(0.0, self._until - time.monotonic())

    def _verdict(self, line: bytes) -> _Found | None:
        """The verdict in a line of the tests' process, if it is one and bears the secret."""
        if not line.startswith(b'{"verdict"'):
            return None
        found = json.loads(line)
        if not secrets.compare_digest(str(found["verdict"]), self._order.nonce):
            return ("unscored", None, "The tests' process sent a verdict without the secret.", None)
        return (found["standing"], found["stage"], found["why"], found["step"])

    def _answer_ended(self, error: UnavailableError) -> _Found:
        """Failed, whatever the tests say; they are asked only where they were."""
        why = self._ended(self._answer, error)
        stage: Stage = "behaviour" if self._loaded else "load"
        sentence, step = f"The answer's process ended: {why}.", None
        try:
            self._tests.send(json.dumps({"gone": why}).encode())
            found = self._verdict(self._tests.receive(seconds=_LAST_WORDS))
        except UnavailableError:
            found = None
        if found is not None and found[0] == "failed":
            sentence, step = found[2], found[3]
        return ("failed", stage, sentence, step)

    def _tests_ended(self, error: UnavailableError) -> _Found:
        """Failed: they did what the answer made them do, and could not finish."""
        why = self._ended(self._tests, error)
        stage: Stage = "behaviour" if self._loaded else "load"
        sentence = f"The tests could not finish on what the answer returned: {why}."
        return ("failed", stage, sentence, None)

    def _ended(self, running: Running, error: UnavailableError) -> str:
        if error.code == "sandbox_timeout":
            return f"no reply within {self._order.seconds:g} s"
        finished = running.close()
        if finished.stopped is not None:
            return _STOPPED.get(finished.stopped, finished.stopped)
        if error.code == "sandbox_reply":
            return "it replied too much"
        return "it ended by itself"


def _bad(message: str) -> InputError:
    return InputError(message, code="bad_behaviour", remedy="See docs/formats/task.md.")
