"""Every parameter is said; what is no number is refused."""

from __future__ import annotations

import pytest

from metier.engines.llamacpp.sampling import DEFAULTS, parameters
from metier.errors import InputError
from metier.generating import Options


def test_ollamas_defaults_hold_where_nobody_speaks() -> None:
    assert parameters(Options().over(DEFAULTS), 1024) == {
        "temperature": 0.8, "top_k": 40, "top_p": 0.9, "min_p": 0.0, "typical_p": 1.0,
        "repeat_last_n": 64, "repeat_penalty": 1.0, "presence_penalty": 0.0,
        "frequency_penalty": 0.0, "n_keep": 0, "stop": [],
    }  # fmt: skip


def test_seed_stop_and_bias() -> None:
    options = Options(seed=2**32 + 5, stop=("a",), logit_bias={7: -1.5}).over(DEFAULTS)
    said = parameters(options, 1024)
    assert (said["seed"], said["stop"], said["logit_bias"]) == (5, ["a"], [[7, -1.5]])


@pytest.mark.parametrize(
    "options", [Options(temperature=float("nan")), Options(logit_bias={1: float("inf")})]
)
def test_what_is_no_number_is_refused(options: Options) -> None:
    with pytest.raises(InputError) as caught:
        parameters(options.over(DEFAULTS), 1024)
    assert caught.value.code == "bad_options"


def test_looking_back_below_zero_is_the_whole_context() -> None:
    assert parameters(Options(repeat_last_n=-1).over(DEFAULTS), 1024)["repeat_last_n"] == 1024
