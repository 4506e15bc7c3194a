"""Judging by execution: an answer is built outside, loaded in a sandboxed process, and watched.

``Judge`` owns the builder and the pools of pre-started processes of one framework. The verdict is
computed here; it knows steps only through the walk, and frameworks only by name.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from metier.coding import Behaviour, Diagnostic, Judged, SourceFile, Stage
from metier.errors import MetierError, UnavailableError
from metier.sandbox import Limits, Place, Pool, Running, program
from metier.tools.behaviour.building import Builder, Framework
from metier.tools.behaviour.placing import expected_paths, place
from metier.tools.behaviour.steps import check_behaviour
from metier.tools.behaviour.talking import Conversation, Lost, Threw
from metier.tools.behaviour.walking import Walk
from metier.tools.warm import Stopped
from metier.tools.workshop import Workshop

SECONDS = 10.0
MOST_SECONDS = 30.0
_REALMS = {"dom": "page", "module": "page", "kit": "server", "ssr": "server"}
_READY = b'{"ready":true}'
_NODE_FLAGS = ("--max-old-space-size=512", "--no-warnings", "--stack-size=900")
_LIMITS = Limits(
    seconds=MOST_SECONDS + 5, cpu_seconds=40, memory_mb=1024, processes=40, output_bytes=4_000_000
)


class Judge:
    """Judges answers of one framework by what they do; safe to use from several threads.

    Args:
        workshop: Toolchains, the sandbox and a folder.
        framework: Whose components and modules are built.
        toolchain: The toolchain's name, such as ``svelte@5``.
    """

    def __init__(self, workshop: Workshop, framework: Framework, toolchain: str) -> None:
        self._workshop = workshop
        self._builder = Builder(workshop, framework, toolchain)
        self._pools: dict[str, Pool] = {}
        self._opening = threading.Lock()

    @property
    def digest(self) -> str:
        """``sha256:…`` over everything here that can change a verdict: locks, harness, judge."""
        return self._builder.digest

    def judge(self, files: Sequence[SourceFile], behaviour: Behaviour) -> Judged:
        """Execute an answer once and say whether it behaves.

        Args:
            files: The answer's files, as a tool found them in its text.
            behaviour: Steps of docs/formats/task.md; the option ``answer`` names the files that
                are expected of the answer.

        Raises:
            InputError: ``bad_task``: the behaviour is not in the language.
            UnavailableError: No toolchain, no Node or no sandbox.
        """
        started = time.perf_counter()
        check_behaviour(behaviour)
        judged = self._judge(place(files, behaviour), behaviour)
        return replace(judged, seconds=time.perf_counter() - started)

    def warm(self, kind: str = "dom") -> None:
        """Start the processes that judgements of this kind will take."""
        self._pool(_REALMS[kind])

    def close(self) -> None:
        """End every process that was started."""
        self._builder.close()
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    def _judge(self, placed: Sequence[SourceFile], behaviour: Behaviour) -> Judged:
        missing = [path for path in expected_paths(behaviour) if path not in _paths(placed)]
        if missing:
            there = ", ".join(sorted(_paths(placed))) or "none"
            return Judged(
                "failed", "extract", f"The answer has no file {missing[0]} (found: {there})."
            )
        realm = _REALMS[behaviour.kind]
        given = [SourceFile(path, text) for path, text in behaviour.given.items()]
        try:
            built = self._builder.build([*placed, *given], realm, behaviour.options)
        except Stopped as stopped:
            return Judged(
                "failed", "compile", f"The compiler was stopped by the answer ({stopped.why})."
            )
        if built.diagnostics:
            return self._uncompiled(built.diagnostics, behaviour)
        pool = self._pool(realm)
        try:
            running = pool.take()
        except MetierError as error:
            if isinstance(error, UnavailableError) and error.code in ("no_sandbox", "no_toolchain"):
                raise
            return Judged("unscored", "load", f"The harness did not start: {error.message}")
        with running:
            return self._walked(running, placed, behaviour, built.modules)

    def _uncompiled(self, found: tuple[Diagnostic, ...], behaviour: Behaviour) -> Judged:
        first = next((item for item in found if item.path not in behaviour.given), None)
        if first is None:
            return Judged(
                "unscored", "compile", f"A given file does not compile: {found[0].message}"
            )
        where = f"{first.path}:{first.line}" if first.line else first.path
        return Judged("failed", "compile", f"{where}: {first.message}", diagnostics=found)

    def _walked(
        self, running: Running, placed: Sequence[SourceFile], behaviour: Behaviour, modules: Any
    ) -> Judged:
        options = behaviour.options
        seconds = min(float(options.get("seconds", SECONDS)), MOST_SECONDS)
        talk = Conversation(running, seconds=seconds)
        walk = Walk(talk, placed)
        number = 0
        try:
            talk.ask(
                "prepare",
                entry=behaviour.entry,
                modules=modules,
                options={key: value for key, value in options.items() if key != "answer"},
                stand_ins={},
            )
        except (Lost, Threw) as error:
            return Judged("unscored", "load", f"The harness failed before the answer: {error}")
        try:
            if behaviour.kind == "module":
                talk.ask("open")
        except (Lost, Threw) as error:
            return Judged("failed", "load", f"The answer does not load: {error}")
        try:
            for number, step in enumerate(behaviour.steps, 1):
                why = walk.take(step)
                if why is not None:
                    return _failed(number, step, why)
            number = 0
            why = _at_the_end(talk, walk, options)
        except Lost as error:
            at = number or len(behaviour.steps)
            return _failed(at, behaviour.steps[at - 1], str(error))
        except Threw as error:
            return Judged("failed", "behaviour", f"At the end: {error}")
        return Judged("passed") if why is None else Judged("failed", "behaviour", why)

    def _pool(self, realm: str) -> Pool:
        """The pool of a realm, made by the first who asks; others wait for it."""
        with self._opening:
            if realm not in self._pools:
                self._pools[realm] = self._opened(realm)
            return self._pools[realm]

    def _opened(self, realm: str) -> Pool:
        sandbox = self._workshop.sandbox()
        node = self._workshop.toolchains.node()
        folder = self._builder.harness(_NODE_FLAGS)
        return Pool(
            sandbox,
            [str(node), *_NODE_FLAGS, "/harness/boot.cjs", "/harness", realm],
            size=self._workshop.pool_size,
            places=(Place(folder, "/harness"), *program(node)),
            limits=_LIMITS,
            ready=_READY,
        )


def _paths(files: Sequence[SourceFile]) -> set[str]:
    return {file.path for file in files}


def _failed(number: int, step: Any, why: str) -> Judged:
    said = f"{step['why']}: {why}" if "why" in step else why
    stage: Stage = "load" if "mount" in step and number == 1 and "failed" in why else "behaviour"
    return Judged("failed", stage, f"step {number}: {said}", step=number)


def _at_the_end(talk: Conversation, walk: Walk, options: Any) -> str | None:
    """What must hold after the last step: nobody meddled, and no error was left uncaught."""
    talk.ask("finish")
    if talk.errors and not walk.errors_expected and options.get("errors") != "allowed":
        error = talk.ask("errors")[0]
        return f"An error was not caught: {error['name']}: {str(error['message'])[:200]}"
    if options.get("console_errors") == "refused":
        lines = [text for method, text in talk.ask("console") if method == "error"]
        if lines:
            return f"The answer wrote an error on the console: {lines[0][:200]}"
    return None
