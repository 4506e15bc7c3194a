"""What the server refuses becomes an error of ours; its flags are those that are wanted."""

from __future__ import annotations

from typing import Any

import pytest

from metier.engines.llamacpp.plan import Plan
from metier.engines.llamacpp.serving import Served, parameters_of, refusal, too_long
from metier.errors import InputError, InternalError, UnavailableError


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (
            {"type": "exceed_context_size_error", "n_prompt_tokens": 9, "n_ctx": 5, "code": 400},
            "prompt_too_long",
            InputError,
        ),
        ({"code": 400, "message": "failed to parse grammar"}, "bad_grammar", InputError),
        ({"code": 400, "message": "bad seed"}, "bad_options", InputError),
        ({"code": 501, "message": "no"}, "no_capability", InputError),
        ({"code": 500, "message": "oh"}, "engine_failed", UnavailableError),
        ({}, "engine_failed", UnavailableError),
    ],
)
def test_refusals(error: dict[str, object], code: str, kind: type) -> None:
    found = refusal(error)
    assert (found.code, type(found)) == (code, kind)


def test_both_numbers_are_said() -> None:
    assert "5,000" in too_long(5000, 4096).message
    assert "4,096" in too_long(5000, 4096).message


def flags(plan: Plan, *, pools: bool = True) -> Any:
    import xllamacpp

    return parameters_of(xllamacpp, plan, 256, pools)


def test_the_guards_are_set() -> None:
    plan = Plan("/m", adapters=(("a", "/a"), ("b", "/b")), threads=3)
    found = flags(plan)
    assert found.cache_ram_mib == 0
    assert [adapter.scale for adapter in found.lora_adapters] == [0.0, 0.0]
    assert not found.lora_init_without_apply
    assert found.kv_unified
    assert (found.n_ctx, found.cpuparams.n_threads) == (256, 3)
    assert found.hostnames == ["engine.sock"]


def test_slots_have_a_context_each() -> None:
    found = flags(Plan("/m", parallel=3, shared=False))
    assert (found.n_ctx, found.n_parallel, found.kv_unified) == (768, 3, False)


@pytest.mark.parametrize(
    ("task", "pools", "pooling"),
    [("generate", True, -1), ("embed", True, -1), ("embed", False, 3), ("rerank", True, 4)],
)
def test_pooling(task: str, pools: bool, pooling: int) -> None:
    found = flags(Plan("/m", task=task), pools=pools)  # type: ignore[arg-type]
    assert int(found.pooling_type) == pooling
    assert found.embedding == (task != "generate")


def test_every_request_names_every_adapter() -> None:
    served = Served.__new__(Served)
    served.plan = Plan("/m", adapters=(("a", "/a"), ("b", "/b")))
    assert served.adapters({"b": 0.5}) == [{"id": 0, "scale": 0.0}, {"id": 1, "scale": 0.5}]
    assert served.adapters({}) == [{"id": 0, "scale": 0.0}, {"id": 1, "scale": 0.0}]
    assert not served.sees
    with pytest.raises(InternalError) as caught:
        served.adapters({"c": 1.0})
    assert caught.value.code == "no_adapter"


class _Talkative:
    """Calls back as the library does: until it is told to stop; what is raised is lost."""

    calls = 0

    def handle_completions(self, _: bytes, callback: Any) -> None:
        for data in (b'{"a": 1}', b'{"a": 2}'):
            self.calls += 1
            if callback(data):
                return


def test_what_goes_wrong_with_a_chunk_ends_the_answer_and_is_raised() -> None:
    served = Served.__new__(Served)
    served._server = talkative = _Talkative()

    def fail(chunk: dict[str, Any]) -> bool:
        raise KeyError(chunk["a"])

    with pytest.raises(KeyError):
        served.complete({}, fail)
    assert talkative.calls == 1
    served.complete({}, lambda chunk: False)
    assert talkative.calls == 3
