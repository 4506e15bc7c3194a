from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from metier.errors import UnavailableError
from metier.sandbox import Sandbox
from metier.tools.python import processes
from metier.tools.python.processes import Processes, limits_of


@pytest.fixture
def made(sandbox: Sandbox) -> Iterator[Processes]:
    one = Processes(lambda: sandbox, size=1, seconds=20)
    yield one
    one.close()


def test_each_process_is_new_and_ready(made: Processes) -> None:
    with made.take("answer") as first, made.take("answer") as second:
        assert first is not second
        for one in (first, second):
            order = {"do": "globals", "on": None, "name": "", "n": [["list", ["pi"]]], "c": []}
            one.send(json.dumps({**order, "v": ["math", [0]], "k": {}}).encode())
            assert "3.14" in one.receive(seconds=20).decode()


def test_the_tests_may_use_more_than_the_answer() -> None:
    assert limits_of("tests", 3).memory_mb > limits_of("answer", 3).memory_mb
    assert limits_of("answer", 3).seconds == 3


def test_pytest_that_is_not_there_is_named(
    made: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_PYTEST", ("pytest_of_nowhere",))
    with pytest.raises(UnavailableError) as caught:
        made.take("pytest")
    assert caught.value.code == "no_pytest"
