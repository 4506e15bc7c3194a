"""The python tool: checks by reading, mends by rule, judges by executing once.

It joins its parts to a ``metier.coding.Tool``; each of them is explained where it stands.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from pathlib import Path

from metier.coding import Behaviour, Checked, Judged, Mended, SourceFile
from metier.tools.python.checking import Reader
from metier.tools.python.extracting import files_of
from metier.tools.python.judging import MOST_SECONDS, judge
from metier.tools.python.processes import Processes
from metier.tools.python.repairing import repaired
from metier.tools.workshop import Workshop

_HERE = Path(__file__).parent


def open_tool(workshop: Workshop) -> PythonTool:
    """The tool over a workshop; nothing is started until it is asked something."""
    return PythonTool(workshop)


class PythonTool:
    """A ``metier.coding.Tool`` for Python; safe to use from several threads."""

    def __init__(self, workshop: Workshop) -> None:
        """Start nothing yet."""
        self._reader = Reader()
        self._processes = Processes(workshop.sandbox, size=workshop.pool_size, seconds=MOST_SECONDS)

    @property
    def name(self) -> str:
        """``python``."""
        return "python"

    @property
    def digest(self) -> str:
        """``sha256:…`` over this package's own files and the version of Python."""
        seen = hashlib.sha256(platform.python_version().encode())
        for path in sorted(_HERE.rglob("*.py")):
            name = path.relative_to(_HERE).as_posix()
            seen.update(name.encode() + b"\0" + path.read_bytes())
        return f"sha256:{seen.hexdigest()}"

    def files_of(self, answer: str) -> tuple[SourceFile, ...]:
        """The Python files in a model's answer."""
        return files_of(answer)

    def check(self, files: Sequence[SourceFile]) -> Checked:
        """Parse and compile the files and look for undefined names; nothing is executed."""
        return self._reader.check(files)

    def repair(self, files: Sequence[SourceFile], checked: Checked) -> Mended | None:
        """Deterministic repairs; kept only if the files then check without an error."""
        return repaired(files, checked, self.check)

    def judge(self, files: Sequence[SourceFile], behaviour: Behaviour) -> Judged:
        """Execute the files once, sandboxed, and say whether they behave.

        Behaviours of the kinds ``asserts``, ``doctests`` and ``pytest``; their options:
        ``tests`` (texts), ``setup`` (run before them, among them), ``prelude`` (run before the
        answer, among its names), ``names`` (built-in names that are the answer's), ``stdin``,
        ``seconds``.

        Raises:
            InputError: ``bad_behaviour``.
            UnavailableError: ``no_sandbox``; ``no_pytest``.
        """
        checked = self.check(files)
        if any(found.code not in ("undefined_name", "undefined_local") for found in checked.errors):
            first = checked.errors[0]
            why = f"{first.path}, line {first.line}: {first.message}"
            return Judged("failed", "compile", why, None, checked.seconds, checked.diagnostics)
        return judge(self._processes, files, behaviour)

    def close(self) -> None:
        """End every process it started."""
        self._reader.close()
        self._processes.close()
