"""The trace: live while it goes, one line when it is done, every step when asked."""

from __future__ import annotations

import io

import pytest

from metier.cli.terminal import Terminal
from metier.cli.tracing import Following, folded, trace_lines
from metier.conversing import Passage, Reply, Step

STEPS = (
    Step("retrieve", "5 passages of docs.", 0.2),
    Step("generate", "Candidate 1 by remote:x.", 1.4),
    Step("check", "1 error."),
    Step("repair", "Took out an import."),
)
PASSAGE = Passage("a", "t", "T", ("T",), "p", "s")


def test_the_whole_trace_in_one_line() -> None:
    reply = Reply(
        "x", checked=True, passages=(PASSAGE,), trace=STEPS, tokens_in=900, tokens_out=334,
        seconds=2.5, base="remote:x", spent=0.0123, finish="budget",
    )  # fmt: skip
    assert folded(reply).plain == (
        "1 passage · 1 draft · 1 repair · passes its check · 1,234 tokens · 0.0123 spent · "
        "budget used up · 2.5 s · remote:x"
    )
    assert folded(Reply("x", checked=False, seconds=1.0)).plain == "does not pass its check · 1.0 s"


def test_every_step_is_one_line() -> None:
    lines = [line.plain for line in trace_lines(STEPS)]
    assert lines[0] == "retrieve 5 passages of docs.  0.2 s"
    assert lines[2] == "check    1 error."
    (hostile,) = trace_lines([Step("note", "a\nb\x1b[2J")])
    assert "\x1b" not in hostile.plain
    assert "\n" not in hostile.plain


def test_text_streams_at_once_and_ends_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Following(Terminal.of(io.StringIO()), quiet=False, streams=True) as following:
        following.text("one ")
        following.text("two\x1b[31m")
    out = capsys.readouterr().out
    assert out.startswith("one two")
    assert "\x1b" not in out
    assert out.endswith("\n")


def test_nothing_is_said_where_nobody_looks() -> None:
    stream = io.StringIO()
    with Following(Terminal.of(stream), quiet=False) as following:
        for step in STEPS:
            following.step(step)
    assert stream.getvalue() == ""


def test_a_sentence_reaches_the_person() -> None:
    stream = io.StringIO()
    with Following(Terminal.of(stream), quiet=False) as following:
        following.say("Stopping.")
    assert stream.getvalue() == "Stopping.\n"
