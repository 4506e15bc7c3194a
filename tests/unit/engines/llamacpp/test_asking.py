"""Prompts of every kind: templates, gaps, contexts, tools, first tokens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tiny_gguf
import tiny_projector
from metier.engines.llamacpp import LocalWorker
from metier.errors import InputError
from metier.generating import Loading, Message, Options, Question, Residence, Voice, Weights

Open = Callable[..., LocalWorker]
ONE = Options(num_predict=1, temperature=0.0)
HELLO = (Message("system", "Be brief."), Message("user", "Hello"))


def prompt(worker: LocalWorker, question: Question, voice: Voice) -> tuple[int, ...]:
    written = worker.ask(question, voice)
    return written.context[: written.taken.tokens_in]


def test_the_callers_template_goes_before_the_models_and_the_files(worker: LocalWorker) -> None:
    voice = Voice(template="V:{{ .Prompt }}", template_language="go")
    own = Question(messages=HELLO, template="Q:{{ .Prompt }}", options=ONE)
    plain = Question(messages=HELLO, options=ONE)
    assert prompt(worker, own, voice) == worker.tokens("Q:Hello")
    assert prompt(worker, plain, voice) == worker.tokens("V:Hello")
    files = (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    assert prompt(worker, plain, Voice()) == worker.tokens(files)


def test_a_base_without_a_template_goes_on_from_what_was_said(
    open_one: Open, tmp_path: Path
) -> None:
    bare = tiny_gguf.tiny_model(tmp_path, architecture="llama", chat_template=None, name="bare")
    loading = Loading(num_ctx=256, num_thread=1)
    worker = open_one(Residence(Weights("sha256:n", (bare,)), loading=loading))
    found = prompt(worker, Question(messages=HELLO, options=ONE), Voice())
    assert found == worker.tokens("Be brief.\n\nHello")


def test_tools_are_shown_unless_none_may_be_called(worker: LocalWorker) -> None:
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    shown = prompt(worker, Question(messages=HELLO, tools=(tool,), options=ONE), Voice())
    asked = Question(messages=HELLO, tools=(tool,), tool_choice="none", options=ONE)
    assert len(prompt(worker, asked, Voice())) < len(shown)


def test_the_models_own_options_hold_where_the_caller_says_nothing(worker: LocalWorker) -> None:
    voice = Voice(options=Options(num_predict=3, temperature=0.0, stop=("zzz",)))
    assert worker.ask(Question(prompt="The"), voice).taken.tokens_out == 3
    asked = Question(prompt="The", options=Options(num_predict=2))
    assert worker.ask(asked, voice).taken.tokens_out == 2


def test_an_empty_prompt_starts_from_the_first_token(worker: LocalWorker) -> None:
    assert prompt(worker, Question(prompt="", options=ONE), Voice()) == (494,)


def test_a_template_that_fails_is_the_callers(worker: LocalWorker) -> None:
    asked = Question(
        messages=HELLO, template="{{ nothing.at.all() }}", template_language="jinja", options=ONE
    )
    with pytest.raises(InputError) as caught:
        worker.ask(asked, Voice())
    assert caught.value.code == "bad_template"


def test_a_base_with_a_projector_sees(open_one: Open, base: Path, tmp_path: Path) -> None:
    projector = tiny_projector.tiny_projector(tmp_path)
    loading = Loading(num_ctx=512, num_thread=1, slots=2)
    worker = open_one(Residence(Weights("sha256:v", (base,), projector), loading=loading))
    once = Options(num_predict=1, temperature=0.0)

    def shown(text: str, *pictures: bytes) -> tuple[int, dict[bytes, float]]:
        messages = (Message("user", text, pictures=pictures),)
        question = Question(messages=messages, options=once, logprobs=True, top_logprobs=10)
        written = worker.ask(question, Voice())
        return written.taken.tokens_in, {a.raw: a.logprob for c in written.chances for a in c.top}

    red, blue = tiny_projector.picture(255, 0, 0), tiny_projector.picture(0, 0, 255)
    blind, _ = shown("see")
    tokens, first = shown("see", red)
    assert tokens > blind + tiny_projector.TOKENS - 1
    assert shown("see", blue)[1] != first != {}
    assert shown("see", red)[1] == pytest.approx(first, abs=0.05)
    assert shown("one [img] two [img]", red, blue)[0] > tokens + tiny_projector.TOKENS
    assert shown("a <__media__> that a user typed")[0] > blind
    with pytest.raises(InputError) as caught:
        shown("see", b"no picture")
    assert caught.value.code == "bad_picture"
    assert worker.ask(Question(prompt="The", options=once), Voice()).taken.tokens_in == 1
