"""Scoring a table again."""

from dataclasses import replace

import pytest

from judging import WordTool, suite
from metier.coding import SourceFile
from metier.errors import InputError, UnavailableError
from metier.evals.rescoring import judged_with, rescore
from metier.evals.results import Result, ResultItem, answer_digest
from metier.evals.tables import Entry, KeptAnswer, Table

SUITE = suite(4)
ONE = "sha256:" + "1" * 64


def table(*outcomes: float) -> Table:
    items = tuple(
        ResultItem(f"word{number}", f"pair{number // 2}", outcome, answer_digest(f"a{number}"))
        for number, outcome in enumerate(outcomes)
    )
    toolchain = {"words on words@1": ONE, "sandbox": "bubblewrap"}
    result = Result(ONE, "remote:x", SUITE.fingerprint, "passed", items, toolchain)
    entry = Entry("remote:x", ONE, (), {}, False, "this machine", result)
    return Table(
        specialist="coder",
        specialist_digest=ONE,
        eval="words",
        title="Words",
        fingerprint=SUITE.fingerprint,
        command="metier eval",
        date="2026-11-23",
        samples=1,
        frozen={},
        toolchain=toolchain,
        machine={},
        entries=(entry,),
    )


def answers(*texts: str) -> list[KeptAnswer]:
    return [
        KeptAnswer(1, f"word{number}", f"a{number}", (SourceFile("answer.txt", text),), "")
        for number, text in enumerate(texts)
    ]


def test_the_same_and_the_other() -> None:
    kept = answers("word0", "word1", "bad", "bad")
    found = rescore(table(1, 1, 0, 0), kept, SUITE, lambda _name, _chain: WordTool())
    assert found.same
    assert (found.judged, found.kept_back, found.other_toolchain) == (4, 0, ())
    wrong = rescore(table(1, 0, 0, 1), kept[1:], SUITE, lambda _name, _chain: WordTool())
    assert not wrong.same
    assert [(one.id, one.was, one.found) for one in wrong.differing] == [
        ("word1", 0, "passed"),
        ("word3", 1, "failed"),
    ]
    assert wrong.kept_back == 1
    assert wrong.to_dict()["same"] is False


def test_answers_without_code_and_another_toolchain() -> None:
    kept = [replace(answers("x")[0], files=())]
    tool = WordTool(digest="sha256:" + "2" * 64)
    found = rescore(table(0, 0, 0, 0), kept, SUITE, lambda _name, _chain: tool)
    assert found.same
    assert tool.judged == []
    assert found.other_toolchain == (("words on words@1", ONE, tool.digest),)


def test_other_tasks_and_stopping() -> None:
    with pytest.raises(InputError) as caught:
        rescore(table(0, 0, 0, 0), [], suite(5), lambda _name, _chain: WordTool())
    assert caught.value.code == "other_eval"
    kept = answers("word0")
    with pytest.raises(UnavailableError):
        rescore(
            table(1, 0, 0, 0), kept, SUITE, lambda _name, _chain: WordTool(), cancelled=lambda: True
        )


def test_what_judges_is_named_by_tool_and_toolchain() -> None:
    assert judged_with(SUITE, lambda _name, _chain: WordTool()) == {"words on words@1": ONE}

    def none(_name: str, _chain: str | None) -> WordTool:
        raise UnavailableError("not installed", code="no_toolchain")

    assert judged_with(SUITE, none) == {}
