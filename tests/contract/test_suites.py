"""The packaged executed evals: every task by reading, a sample of them by executing.

``metier check-eval svelte`` and ``react`` execute all of them (minutes, not part of the tests).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import metier
from metier import plugins
from metier.assembly.toolbox import Toolbox
from metier.errors import MetierError
from metier.evals.likeness import alike
from metier.evals.selftest import self_test
from metier.evals.suitecheck import check_suite, strength
from metier.evals.taskfiles import read_suite
from metier.evals.tasks import ENOUGH_MUTANTS, Suite
from metier.sandbox import detect
from metier.settings import Settings
from metier.toolchains import KNOWN, Toolchains
from metier.tools.behaviour import check_behaviour

SUITES = Path(metier.__file__).parent / "suites"
LEAST = {"svelte": 60, "react": 24}
SAMPLE = {
    "svelte": ("rune-slider-pair", "action-login"),
    "react": ("react-use-toggle",),
}


@pytest.fixture(scope="module", params=sorted(LEAST))
def suite(request: pytest.FixtureRequest) -> Suite:
    return read_suite(SUITES / request.param)


def test_there_are_enough_tasks_in_enough_clusters(suite: Suite) -> None:
    assert len(suite.tasks) >= LEAST[suite.name]
    assert len(suite.clusters) >= 8
    assert strength([task.cluster for task in suite.tasks]).smallest_win is not None


def test_every_task_has_enough_mutants_and_a_known_toolchain(suite: Suite) -> None:
    for task in suite.tasks:
        assert len(task.mutants) >= ENOUGH_MUTANTS, task.id
        assert task.toolchains, task.id
        assert set(task.toolchains) <= set(KNOWN), task.id
        assert task.tool == suite.name, task.id


def test_every_step_is_in_the_language(suite: Suite) -> None:
    for task in suite.tasks:
        check_behaviour(task.behaviour)


def test_no_two_tasks_ask_the_same(suite: Suite) -> None:
    assert alike(suite.tasks) == ()


@pytest.fixture(scope="module")
def toolbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toolbox]:
    settings = Settings.read()
    chains = Toolchains(settings.toolchains)
    own = replace(settings, home=tmp_path_factory.mktemp("home"))
    opened = Toolbox(own, chains, 2)
    yield opened
    opened.close()


def test_of_a_sample_references_pass_and_mutants_fail(
    suite: Suite, toolbox: Toolbox, tmp_path: Path
) -> None:
    if suite.name not in plugins.names("tools"):
        pytest.skip("the package is not installed, so its tools are not found")
    some = suite.only(SAMPLE[suite.name])
    try:
        detect()
        for task in some.tasks:
            assert toolbox.on(task.tool, task.runs_on).digest
    except MetierError as error:
        pytest.skip(f"not here: {error.message}")
    tested = self_test(some, toolbox.on, folder=tmp_path, today="2026-11-23")
    found = check_suite(some, tested)
    assert found.sound, (found.frozen, found.survivors, found.unjudged)
