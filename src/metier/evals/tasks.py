"""Tasks of an executed eval, and the suite that holds them, under one fingerprint.

It knows what a task asks, how an answer must behave, a reference that does and mutants that do
not; it reads no file and executes nothing. ``taskfiles`` reads them, ``selftest`` proves them,
``executing`` puts them to a base.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date as calendar_date
from datetime import time as time_of_day
from functools import cached_property
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any

from metier.coding import Behaviour, SourceFile
from metier.errors import InputError
from metier.manifest import canonical_json
from metier.reference import Digest

FORMAT = "metier.suite/1"
SCORER = "passed"
"""What an executed eval counts: answers that passed; also the name of the metric."""
MAX_TASKS = 10_000
MAX_PROMPT_CHARACTERS = 20_000
MAX_FILE_CHARACTERS = 200_000
MAX_FILES = 50
MAX_STEPS = 500
MAX_MUTANTS = 100
ENOUGH_MUTANTS = 5
"""Fewer wrong answers than this say little about what a task can tell apart."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,119}")
_CLUSTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/ -]{0,118}[A-Za-z0-9._-]?")
_TOOLCHAIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,40}(@[A-Za-z0-9][A-Za-z0-9._-]{0,40})?")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A wrong answer that a task must reject.

    Attributes:
        name: Unique in its task.
        why: A sentence: what is wrong with it.
        files: All files of the wrong answer.
    """

    name: str
    why: str
    files: tuple[SourceFile, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to write, and how to tell whether it was written right.

    Raises InputError (code ``bad_task``) on construction, naming the field that is wrong.

    Attributes:
        id: Unique in its suite.
        title: A line for people.
        cluster: Tasks on one feature share it: who knows the feature passes them all.
        date: ISO date on which it was written.
        tool: Which tool judges it: ``svelte``, ``react``, ``python``, ``javascript``.
        toolchains: Every toolchain on which its reference passes and its mutants fail; the first
            is the one that an eval runs on. Empty where the tool needs none.
        prompt: What is asked, in Markdown.
        behaviour: What an answer must do; its ``entry`` and ``given`` files are part of it.
        reference: An answer that passes.
        mutants: Answers that must fail.
    """

    id: str
    title: str
    cluster: str
    date: str
    tool: str
    toolchains: tuple[str, ...]
    prompt: str
    behaviour: Behaviour
    reference: tuple[SourceFile, ...]
    mutants: tuple[Mutant, ...] = ()

    def __post_init__(self) -> None:
        self._check_names()
        _check_text("prompt", self.prompt, MAX_PROMPT_CHARACTERS)
        _check_text("title", self.title, 200)
        if not self.behaviour.kind:
            raise bad_task("behaviour.kind", "it is missing")
        if len(self.behaviour.steps) > MAX_STEPS:
            raise bad_task("behaviour.steps", f"there are more than {MAX_STEPS}")
        given = [SourceFile(path, text) for path, text in self.behaviour.given.items()]
        check_files("given", given)
        check_files("reference", self.reference)
        if not self.reference:
            raise bad_task("reference", "there is none", "Write an answer that passes.")
        self._check_mutants()
        try:
            canonical_json(self.asked())
        except (TypeError, ValueError) as error:
            raise bad_task("behaviour", f"it holds a value that is not JSON ({error})") from error

    def _check_names(self) -> None:
        for name in ("id", "cluster", "tool"):
            pattern = _CLUSTER if name == "cluster" else _NAME
            if not pattern.fullmatch(getattr(self, name)):
                raise bad_task(
                    name,
                    f"{getattr(self, name)[:80]!r} is not a name",
                    "Use letters, digits, '.', '_', '/' and '-' (in a cluster also "
                    "spaces); 120 characters at most.",
                )
        try:
            calendar_date.fromisoformat(self.date)
        except ValueError as error:
            raise bad_task("date", f"{self.date[:80]!r} is not a date like 2026-11-23") from error
        for name in self.toolchains:
            if not _TOOLCHAIN.fullmatch(name):
                raise bad_task("toolchains", f"{name[:80]!r} is not a toolchain like 'svelte@5'")
        if len(set(self.toolchains)) != len(self.toolchains):
            raise bad_task("toolchains", "one is named twice")
        check_path("entry", self.behaviour.entry)

    def _check_mutants(self) -> None:
        if len(self.mutants) > MAX_MUTANTS:
            raise bad_task("mutants", f"there are more than {MAX_MUTANTS}")
        seen: dict[tuple[SourceFile, ...], str] = {self.reference: "the reference"}
        names: set[str] = set()
        for mutant in self.mutants:
            where = f"mutants.{mutant.name}"
            if not mutant.name or mutant.name in names:
                raise bad_task("mutants", f"the name {mutant.name[:80]!r} is missing or not unique")
            names.add(mutant.name)
            _check_text(f"{where}.why", mutant.why, 500)
            check_files(where, mutant.files)
            same = seen.setdefault(mutant.files, mutant.name)
            if same != mutant.name:
                raise bad_task(where, f"it is the same as {same}")

    @property
    def entry(self) -> str:
        """The file that is mounted or loaded."""
        return self.behaviour.entry

    @property
    def runs_on(self) -> str | None:
        """The toolchain that an eval judges it on: the first that it names, or none."""
        return self.toolchains[0] if self.toolchains else None

    @property
    def writes(self) -> tuple[str, ...]:
        """Paths of the files that an answer has to write: those of the reference."""
        return tuple(file.path for file in self.reference)

    @property
    def question(self) -> str:
        """What a base is asked: the prompt, the files that are there, the files to write."""
        parts = [self.prompt.strip()]
        shown = {
            path: text for path, text in self.behaviour.given.items() if path not in self.writes
        }
        if shown:
            parts.append("These files are there already:")
            parts.extend(f"`{path}`\n\n{_fenced(path, text)}" for path, text in shown.items())
        parts.append(_closing(self.writes))
        return "\n\n".join(parts)

    def asked(self) -> dict[str, Any]:
        """Everything that can change the outcome of an answer, as JSON values.

        Reference and mutants are not among it: mending a mutant leaves results valid. The
        reference's paths are, because they are part of the question.
        """
        return {
            "id": self.id,
            "cluster": self.cluster,
            "date": self.date,
            "tool": self.tool,
            "toolchains": list(self.toolchains),
            "question": self.question,
            "kind": self.behaviour.kind,
            "entry": self.entry,
            "given": dict(self.behaviour.given),
            "steps": [_plain(step) for step in self.behaviour.steps],
            "options": _plain(self.behaviour.options),
        }

    @property
    def digest(self) -> str:
        """``sha256:…`` over all of it, reference and mutants included."""
        whole = {
            **self.asked(),
            "title": self.title,
            "reference": _as_fields(self.reference),
            "mutants": [
                {"name": one.name, "why": one.why, "files": _as_fields(one.files)}
                for one in self.mutants
            ],
        }
        return str(Digest.of(canonical_json(whole)))


@dataclass(frozen=True)
class Suite:
    """An executed eval: tasks in the order of their ids.

    Raises InputError (code ``bad_suite``) if there is no task, or two have one id.

    Attributes:
        name: ``svelte``, ``react``, ``python``, or a folder's name.
        title: A line for people.
        licence: Of the tasks, an SPDX expression.
        tasks: Sorted by id.
        source: Where the tasks came from, for people.
        least_mutants: Mutants that each task is expected to have; 0 for tasks of others, which
            come without.
    """

    name: str
    title: str
    licence: str
    tasks: tuple[Task, ...]
    source: str = field(default="", compare=False)
    least_mutants: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.tasks, key=lambda task: task.id))
        if not ordered:
            raise InputError(f"The eval {self.name!r} has no tasks.", code="bad_suite")
        if len(ordered) > MAX_TASKS:
            raise InputError(f"An eval has at most {MAX_TASKS:,} tasks.", code="bad_suite")
        for one, two in pairwise(ordered):
            if one.id == two.id:
                raise InputError(
                    f"Two tasks of {self.name!r} have the id {one.id!r}.",
                    code="bad_suite",
                    remedy="Give every task an id of its own.",
                )
        object.__setattr__(self, "tasks", ordered)

    @cached_property
    def fingerprint(self) -> str:
        """``sha256:…`` over everything that can change a score; see ``Task.asked``.

        What judges (tool, toolchain, sandbox) stands in the header of every result instead.
        """
        lines = [canonical_json({"format": FORMAT, "scorer": SCORER})]
        lines.extend(canonical_json(task.asked()) for task in self.tasks)
        return str(Digest.of(b"\n".join(lines) + b"\n"))

    @property
    def clusters(self) -> tuple[str, ...]:
        """The clusters that occur, sorted."""
        return tuple(sorted({task.cluster for task in self.tasks}))

    @property
    def toolchains(self) -> tuple[str, ...]:
        """Every toolchain that some task names, sorted."""
        return tuple(sorted({name for task in self.tasks for name in task.toolchains}))

    def only(self, ids: Sequence[str]) -> Suite:
        """Some of its tasks, as an eval of its own; raises InputError for an id it lacks."""
        known = {task.id: task for task in self.tasks}
        for name in ids:
            if name not in known:
                raise InputError(f"{self.name!r} has no task {name!r}.", code="no_task")
        return replace(self, tasks=tuple(known[name] for name in dict.fromkeys(ids)))


def bad_task(field_name: str, why: str, remedy: str | None = None) -> InputError:
    """A task's field is wrong; whoever knows the file puts its name before the message."""
    return InputError(
        f"{field_name}: {why}.",
        code="bad_task",
        remedy=remedy or "See docs/formats/task.md for every field.",
        details={"field": field_name},
    )


def check_path(where: str, path: str) -> None:
    """Refuse a path that is not a plain relative one; raises InputError (``bad_task``)."""
    parts = PurePosixPath(path).parts
    plain = (
        0 < len(path) <= 200
        and path == str(PurePosixPath(path))
        and not path.startswith("/")
        and ".." not in parts
        and "\\" not in path
        and path != "."
        and path.isprintable()
    )
    if not plain:
        raise bad_task(where, f"{path[:80]!r} is not a relative path", "Write it like 'lib/a.js'.")


def check_files(where: str, files: Sequence[SourceFile]) -> None:
    """Refuse too many or too long files, odd paths and repeated ones."""
    if len(files) > MAX_FILES:
        raise bad_task(where, f"there are more than {MAX_FILES} files")
    seen: set[str] = set()
    for file in files:
        check_path(where, file.path)
        if file.path in seen:
            raise bad_task(where, f"the path {file.path!r} is there twice")
        seen.add(file.path)
        if len(file.text) > MAX_FILE_CHARACTERS:
            raise bad_task(
                where, f"{file.path!r} is longer than {MAX_FILE_CHARACTERS:,} characters"
            )


def _plain(value: Any) -> Any:
    """TOML values that JSON lacks (dates, not-a-number, infinities) as named texts."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"$number": str(value)}
    if isinstance(value, calendar_date | time_of_day):
        return {"$date": value.isoformat()}
    return value


def _check_text(where: str, text: str, longest: int) -> None:
    if not text.strip():
        raise bad_task(where, "it is empty")
    if len(text) > longest:
        raise bad_task(where, f"it is longer than {longest:,} characters")


def _as_fields(files: Sequence[SourceFile]) -> list[Mapping[str, str]]:
    return [{"path": file.path, "text": file.text} for file in files]


def _closing(paths: Sequence[str]) -> str:
    if len(paths) == 1:
        return f"Answer with the whole file `{paths[0]}` in one fenced code block."
    named = ", ".join(f"`{path}`" for path in paths)
    return (
        f"Answer with the whole files {named}, each in a fenced code block of its own, with its "
        "path alone on the line before the block."
    )


def _fenced(path: str, text: str) -> str:
    """A fence that is longer than any in the text."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{PurePosixPath(path).suffix.lstrip('.')}\n{text.rstrip()}\n{fence}"
