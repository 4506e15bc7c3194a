"""Judges that the tests of a run share: each is bundled once."""

from collections.abc import Callable, Iterator

import pytest

from metier.coding import Behaviour, Judged, SourceFile
from metier.sandbox import detect
from metier.tools import Workshop
from metier.tools.behaviour import Judge
from toolchain import toolchains

Judging = Callable[..., Judged]


@pytest.fixture(scope="session")
def judging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judging]:
    """Judge one file (or files by path) with a toolchain, steps and options."""
    workshop = Workshop(toolchains(), detect, tmp_path_factory.mktemp("judge"), pool_size=1)
    judges: dict[str, Judge] = {}

    def judge(text: object, steps: list[dict[str, object]], **more: object) -> Judged:
        chain = str(more.pop("toolchain", "svelte@5"))
        framework = "react" if chain.startswith("react") else "svelte"
        entry = str(more.pop("entry", "Answer.jsx" if framework == "react" else "Answer.svelte"))
        files = text if isinstance(text, dict) else {entry: text}
        behaviour = Behaviour(
            str(more.pop("kind", "dom")),
            entry,
            dict(more.pop("given", {})),  # type: ignore[call-overload]
            tuple(steps),
            {"answer": sorted(files), **more},
        )
        if chain not in judges:
            judges[chain] = Judge(workshop, framework, chain)  # type: ignore[arg-type]
        return judges[chain].judge([SourceFile(*item) for item in files.items()], behaviour)

    yield judge
    for made in judges.values():
        made.close()
