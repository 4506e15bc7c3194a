"""Reading a suite: a folder with ``suite.toml`` and one TOML file a task.

It knows the files' format (``docs/formats/task.md``) and says which file and which field is
wrong; what a task may hold is ``tasks``' business, and what a step means is the tool's.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date as calendar_date
from pathlib import Path
from typing import Any

from metier.coding import Behaviour, SourceFile
from metier.errors import InputError, NotFoundError, StorageError
from metier.evals.tasks import ENOUGH_MUTANTS, Mutant, Suite, Task, bad_task

HEADER = "suite.toml"
MAX_FILE_BYTES = 1_000_000
TASK_FORMAT = "metier.task/1"
SUITE_FORMAT = "metier.suite/1"
_SUITE_FIELDS = {"format", "title", "licence", "date", "tool", "toolchains", "source"}
_INHERITED = ("date", "tool", "toolchains")
_TASK_FIELDS = {
    *("format", "id", "title", "cluster", "date", "tool", "toolchains"),
    *("prompt", "behaviour", "reference", "mutants"),
}
_BEHAVIOUR_FIELDS = {"kind", "entry", "answer", "steps", "given", "options"}
_MUTANT_FIELDS = {"why", "file", "find", "replace", "files"}
_REMEDY = "See docs/formats/task.md for every field."


def read_suite(folder: Path, *, name: str | None = None) -> Suite:
    """The suite in a folder.

    Every ``*.toml`` in it but ``suite.toml`` is a task, named by its id; folders in it are not
    looked into.

    Args:
        folder: Holds ``suite.toml`` and the tasks.
        name: What the suite is called; the folder's name by default.

    Raises:
        NotFoundError: There is no such folder, or no ``suite.toml`` in it (code ``no_suite``).
        InputError: ``bad_suite`` or ``bad_task``, naming the file and the field.
        StorageError: A file cannot be read.
    """
    if not (folder / HEADER).is_file():
        raise NotFoundError(
            f"{folder} holds no {HEADER}, so it is no eval of tasks.",
            code="no_suite",
            remedy=f"Write {HEADER} with title, licence, date and tool beside the tasks.",
        )
    header = _table(folder / HEADER, "bad_suite")
    _only(header, _SUITE_FIELDS, folder / HEADER, "", "bad_suite")
    paths = sorted(path for path in folder.glob("*.toml") if path.name != HEADER)
    return Suite(
        name=name or folder.resolve().name,
        title=_text(header, "title", folder / HEADER, "bad_suite"),
        licence=_text(header, "licence", folder / HEADER, "bad_suite"),
        tasks=tuple(read_task(path, header) for path in paths),
        source=str(header.get("source", "")),
        least_mutants=ENOUGH_MUTANTS,
    )


def read_task(path: Path, header: Mapping[str, Any] | None = None) -> Task:
    """One task's file; ``date``, ``tool`` and ``toolchains`` may come from the suite's header.

    Raises InputError (code ``bad_task``) naming the file and the field, or StorageError.
    """
    try:
        return _task({**_inherited(header), **_table(path, "bad_task")}, path)
    except InputError as error:
        if str(path) in error.message:
            raise
        raise InputError(
            f"{path}: {error.message}",
            code=error.code,
            remedy=error.remedy,
            details={**error.details, "file": str(path)},
        ) from error


def _inherited(header: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: header[key] for key in _INHERITED if key in header} if header else {}


def _task(fields: dict[str, Any], path: Path) -> Task:
    _only(fields, _TASK_FIELDS, path, "", "bad_task")
    if fields.get("format", TASK_FORMAT) != TASK_FORMAT:
        raise bad_task("format", f"it is {fields['format']!r}, not {TASK_FORMAT!r}")
    name = _text(fields, "id", path)
    if name != path.stem:
        raise bad_task("id", f"it is {name[:80]!r}, but the file is called {path.name!r}")
    reference = _files(fields, "reference")
    behaviour = _behaviour(fields, path, reference)
    return Task(
        id=name,
        title=_text(fields, "title", path),
        cluster=_text(fields, "cluster", path),
        date=_date(fields),
        tool=_text(fields, "tool", path),
        toolchains=tuple(_texts(fields, "toolchains")),
        prompt=_text(fields, "prompt", path),
        behaviour=behaviour,
        reference=reference,
        mutants=tuple(
            _mutant(one, reference, number)
            for number, one in enumerate(_tables(fields, "mutants"), start=1)
        ),
    )


def _behaviour(fields: dict[str, Any], path: Path, reference: Sequence[SourceFile]) -> Behaviour:
    table = fields.get("behaviour")
    if not isinstance(table, dict):
        raise bad_task("behaviour", "the table is missing")
    _only(table, _BEHAVIOUR_FIELDS, path, "behaviour.", "bad_task")
    steps = _tables(table, "steps", "behaviour.")
    options = table.get("options", {})
    if not isinstance(options, dict):
        raise bad_task("behaviour.options", "it is not a table")
    if not steps and not options.get("tests"):
        raise bad_task("behaviour.steps", "there are none, so every answer that loads would pass")
    answer = _texts(table, "answer", "behaviour.") or [file.path for file in reference]
    missing = sorted(set(answer) ^ {file.path for file in reference})
    if missing:
        why = f"{missing[0][:80]!r} is in one of answer and reference only"
        raise bad_task("behaviour.answer", why)
    return Behaviour(
        kind=_text(table, "kind", path, where="behaviour."),
        entry=_text({"entry": answer[0], **table}, "entry", path, where="behaviour."),
        given={file.path: file.text for file in _files(table, "given", "behaviour.")},
        steps=tuple(steps),
        options={**options, "answer": answer},
    )


def _mutant(table: dict[str, Any], reference: Sequence[SourceFile], number: int) -> Mutant:
    """A mutant from whole files or from one replacement in the reference."""
    where = f"mutants[{number}]"
    unknown = sorted(set(table) - _MUTANT_FIELDS)
    if unknown:
        raise bad_task(f"{where}.{unknown[0][:80]}", "there is no such field")
    why = table.get("why")
    if not isinstance(why, str):
        raise bad_task(f"{where}.why", "it is missing: say what is wrong with this answer")
    files = _files(table, "files", f"{where}.")
    if bool(files) == ("find" in table):
        raise bad_task(where, "it needs either find and replace, or whole files")
    texts = {file.path: file.text for file in reference}
    texts.update({file.path: file.text for file in files})
    if not files:
        _replace(texts, table, where)
    return Mutant(str(number), why, tuple(SourceFile(path, text) for path, text in texts.items()))


def _replace(texts: dict[str, str], table: Mapping[str, Any], where: str) -> None:
    """Put one text in the place of another that occurs exactly once in a reference file."""
    find, put = table["find"], table.get("replace")
    if not isinstance(find, str) or not find or not isinstance(put, str):
        raise bad_task(f"{where}.find", "find and replace are texts, and find is not empty")
    path = table.get("file", next(iter(texts)) if len(texts) == 1 else None)
    if path not in texts:
        known = ", ".join(texts)
        raise bad_task(f"{where}.file", f"it has to name one file of the reference: {known}")
    count = texts[path].count(find)
    if count != 1:
        raise bad_task(f"{where}.find", f"{find[:80]!r} occurs {count} times in {path}, not once")
    texts[path] = texts[path].replace(find, put)


def _table(path: Path, code: str) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}.") from error
    if len(data) > MAX_FILE_BYTES:
        raise InputError(f"{path} is longer than {MAX_FILE_BYTES:,} bytes.", code=code)
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(
            f"{path} is not TOML in UTF-8: {error}.", code=code, remedy=_REMEDY
        ) from error


def _only(table: Mapping[str, Any], known: set[str], path: Path, where: str, code: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise InputError(
            f"{path}: {where}{unknown[0][:80]}: there is no such field.",
            code=code,
            remedy=f"The fields are {', '.join(sorted(known))}.",
            details={"file": str(path), "field": f"{where}{unknown[0][:80]}"},
        )


def _text(
    table: Mapping[str, Any], name: str, path: Path, code: str = "bad_task", where: str = ""
) -> str:
    value = table.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InputError(
            f"{path}: {where}{name}: it is missing, empty or not text.",
            code=code,
            remedy=_REMEDY,
            details={"file": str(path), "field": f"{where}{name}"},
        )
    return value


def _date(fields: Mapping[str, Any]) -> str:
    value = fields.get("date")
    if isinstance(value, calendar_date):
        return value.isoformat()
    if not isinstance(value, str):
        raise bad_task("date", "it is missing: write the day like 2026-11-23")
    return value


def _texts(table: Mapping[str, Any], name: str, where: str = "") -> list[str]:
    values = table.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise bad_task(f"{where}{name}", "it is not a list of texts")
    return values


def _tables(table: Mapping[str, Any], name: str, where: str = "") -> list[dict[str, Any]]:
    values = table.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise bad_task(f"{where}{name}", f"it is not a list of tables; write [[{where}{name}]]")
    return values


def _files(table: Mapping[str, Any], name: str, where: str = "") -> tuple[SourceFile, ...]:
    """Files as a table of path to text."""
    values = table.get(name, {})
    if not isinstance(values, dict) or not all(isinstance(text, str) for text in values.values()):
        raise bad_task(f"{where}{name}", 'it is not a table of path = "text"')
    return tuple(SourceFile(path, text) for path, text in values.items())
