from __future__ import annotations

from pathlib import Path

import pytest

from metier.coding import Behaviour, SourceFile
from metier.errors import InputError, UnavailableError
from metier.sandbox import Sandbox
from metier.toolchains import Toolchains
from metier.tools import Workshop
from metier.tools.python import PythonTool, open_tool

BEHAVIOUR = Behaviour("asserts", "solution.py", options={"tests": "assert f() == 1"})


def test_an_answer_is_extracted_checked_mended_and_judged(tool: PythonTool) -> None:
    answer = "Sure:\n\n```python\ndef f() -> Optional[int]\n    return math.floor(1.5)\n```\nDone."
    files = tool.files_of(answer)
    checked = tool.check(files)
    assert not checked.ok
    mended = tool.repair(files, checked)
    assert mended is not None
    assert [name for name, _ in mended.applied] == ["colons", "imports"]
    assert tool.judge(mended.files, BEHAVIOUR).standing == "passed"
    assert tool.judge(files, BEHAVIOUR).stage == "compile"


def test_an_undefined_name_is_left_to_the_tests(tool: PythonTool) -> None:
    code = "def f():\n    return 1\n\n\ndef unused():\n    return nothing\n"
    files = [SourceFile("solution.py", code)]
    assert not tool.check(files).ok
    assert tool.judge(files, BEHAVIOUR).standing == "passed"


def test_it_has_a_name_and_a_digest(tool: PythonTool) -> None:
    assert tool.name == "python"
    assert tool.digest.startswith("sha256:")
    assert tool.digest == tool.digest


def test_without_a_sandbox_nothing_is_executed(tmp_path: Path) -> None:
    def none() -> Sandbox:
        raise UnavailableError("There is none.", code="no_sandbox")

    alone = open_tool(Workshop(Toolchains(tmp_path), none, tmp_path))
    files = [SourceFile("solution.py", "def f(): return 1\n")]
    assert alone.check(files).ok
    with pytest.raises(UnavailableError) as caught:
        alone.judge(files, BEHAVIOUR)
    assert caught.value.code == "no_sandbox"
    alone.close()


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour("dom", "solution.py", options={"tests": "assert 1"}),
        Behaviour("asserts", "solution.py"),
        Behaviour("asserts", "solution.py", options={"tests": [1]}),
        Behaviour("asserts", "solution.py", options={"tests": "assert 1", "seconds": 0}),
        Behaviour("asserts", "solution.py", options={"tests": "assert 1", "seconds": "9"}),
    ],
)
def test_a_behaviour_that_is_none_is_refused(tool: PythonTool, behaviour: Behaviour) -> None:
    with pytest.raises(InputError) as caught:
        tool.judge([SourceFile("solution.py", "x = 1\n")], behaviour)
    assert caught.value.code == "bad_behaviour"
