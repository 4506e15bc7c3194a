"""One python tool for all tests of it, with real sandboxes, and a short way to judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from metier.coding import Behaviour, Judged, SourceFile
from metier.errors import UnavailableError
from metier.sandbox import Sandbox, detect
from metier.toolchains import Toolchains
from metier.tools import Workshop
from metier.tools.python import PythonTool, open_tool

Judging = Callable[..., Judged]


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    try:
        return detect()
    except UnavailableError as error:
        pytest.skip(f"no sandbox on this machine: {error.message}")


@pytest.fixture(scope="session")
def tool(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PythonTool]:
    folder = tmp_path_factory.mktemp("workshop")
    made = open_tool(Workshop(Toolchains(folder), lambda: sandbox, folder))
    yield made
    made.close()


@pytest.fixture(scope="session")
def judged(tool: PythonTool) -> Judging:
    """``judged(code, *tests, kind="asserts", given={}, **options)`` for one or several files."""

    def judge(
        code: str | dict[str, str],
        *tests: str,
        kind: str = "asserts",
        given: dict[str, str] | None = None,
        **options: Any,
    ) -> Judged:
        texts = {"solution.py": code} if isinstance(code, str) else code
        files = [SourceFile(path, text) for path, text in texts.items()]
        return tool.judge(
            files,
            Behaviour(kind, "solution.py", given or {}, options={"tests": list(tests), **options}),
        )

    return judge
