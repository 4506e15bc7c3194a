from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.errors import InputError
from metier.generating import Loading, Options
from metier.server.ollama_options import KINDS, keep_alive, options, think


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (None, None),
        ("5m", 300.0),
        ("1h30m", 5400.0),
        ("1.5h", 5400.0),
        ("300ms", 0.3),
        ("90s", 90.0),
        (1800, 1800.0),
        (0.5, 0.5),
        (0, 0.0),
        ("0", 0.0),
        ("0s", 0.0),
        (-1, -1.0),
        ("-1", -1.0),
        ("-1m", -1.0),
        ("-1s", -1.0),
        ("60", 60.0),
        (10**300, 2.0**31),
    ],
)
def test_keep_alive_is_a_duration_or_seconds(given: Any, seconds: float | None) -> None:
    assert keep_alive(given) == seconds


@pytest.mark.parametrize("given", ["soon", "5 m", "", "5mm", "m5", True, [], {}, float("nan")])
def test_what_is_no_duration_is_refused_by_its_name(given: Any) -> None:
    with pytest.raises(InputError) as caught:
        keep_alive(given)
    assert "keep_alive" in caught.value.message


@given(st.text(max_size=40) | st.floats() | st.integers() | st.lists(st.integers()))
def test_any_keep_alive_is_seconds_or_a_refusal(value: Any) -> None:
    try:
        seconds = keep_alive(value)
    except InputError:
        return
    assert seconds is not None
    assert -1 <= seconds <= 2**31


def test_options_are_parted_into_sampling_and_loading() -> None:
    sampling, loading = options(
        {
            "num_keep": 4,
            "seed": 7,
            "num_predict": -1,
            "top_k": 40,
            "top_p": 0.9,
            "min_p": 0,
            "typical_p": 1,
            "repeat_last_n": 64,
            "temperature": 0.8,
            "repeat_penalty": 1.0,
            "presence_penalty": 0,
            "frequency_penalty": 0,
            "stop": ["\n", "user:"],
            "num_ctx": 4096,
            "num_batch": 512,
            "num_gpu": -1,
            "main_gpu": 0,
            "use_mmap": True,
            "num_thread": 2,
            "draft_num_predict": 4,
        }
    )
    assert sampling == Options(
        temperature=0.8,
        top_k=40,
        top_p=0.9,
        min_p=0.0,
        typical_p=1.0,
        repeat_last_n=64,
        repeat_penalty=1.0,
        presence_penalty=0.0,
        frequency_penalty=0.0,
        seed=7,
        num_predict=-1,
        num_keep=4,
        stop=("\n", "user:"),
    )
    assert loading == Loading(4096, 512, -1, 0, use_mmap=True, num_thread=2)


def test_langchain_sends_thirteen_nulls_that_say_nothing() -> None:
    assert options(dict.fromkeys(KINDS)) == (Options(), Loading())
    assert options(None) == options({}) == (Options(), Loading())


def test_an_unknown_option_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="metier.ollama"):
        assert options({"temprature": 1, "mirostat": 2}) == (Options(), Loading())
    assert "temprature" in caplog.text
    assert "mirostat" in caplog.text


def test_a_number_with_a_fraction_is_cut_where_a_whole_one_is_due() -> None:
    assert options({"num_ctx": 4096.0, "top_k": 3.7}) == (Options(top_k=3), Loading(num_ctx=4096))


def test_a_context_of_none_is_as_the_server_likes() -> None:
    assert options({"num_ctx": 0, "num_thread": 0, "num_gpu": 0})[1] == Loading(num_gpu=0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", "hot"),
        ("temperature", True),
        ("num_ctx", "4096"),
        ("num_ctx", 10**40),
        ("num_ctx", -5),
        ("num_thread", -1),
        ("seed", float("inf")),
        ("top_p", float("nan")),
        ("use_mmap", 1),
        ("stop", "END"),
        ("stop", [1]),
        ("num_thread", []),
    ],
)
def test_an_option_of_the_wrong_type_is_refused_by_its_name(name: str, value: Any) -> None:
    with pytest.raises(InputError) as caught:
        options({name: value})
    assert f'"{name}"' in caught.value.message
    assert caught.value.code == "bad_options"


def test_options_are_an_object() -> None:
    with pytest.raises(InputError):
        options([1])


@pytest.mark.parametrize("value", [True, False, None, "low", "medium", "high", "max"])
def test_thinking_is_a_truth_value_or_a_level(value: Any) -> None:
    assert think(value) is value or think(value) == value


@pytest.mark.parametrize("value", ["", "hard", 1, [], {}])
def test_any_other_thinking_is_refused(value: Any) -> None:
    with pytest.raises(InputError) as caught:
        think(value)
    assert "think" in caught.value.message
