"""The descriptions of OpenAI's bodies agree with what is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from metier.errors import InputError
from metier.server import openai_chat, openai_schemas, openai_text, openai_vectors

LEAST: Mapping[str, Any] = {
    "model": "tiny",
    "messages": [{"role": "user", "content": "a"}],
    "prompt": "a",
    "input": "a",
    "query": "a",
    "documents": ["a"],
}
READ: tuple[tuple[dict[str, Any], Callable[[Mapping[str, Any]], object]], ...] = (
    (openai_schemas.CHAT, openai_chat.parse),
    (openai_schemas.TEXT, openai_text.parse),
    (openai_schemas.EMBEDDINGS, openai_vectors.parse_embeddings),
    (openai_schemas.RERANK, openai_vectors.parse_rerank),
)


@pytest.mark.parametrize(("schema", "parse"), READ)
def test_the_required_fields_are_enough_and_each_is_needed(schema, parse) -> None:
    least = {name: LEAST[name] for name in schema["required"]}
    parse(least)
    for name in schema["required"]:
        with pytest.raises(InputError):
            parse({field: value for field, value in least.items() if field != name})


@pytest.mark.parametrize(("schema", "parse"), READ)
def test_every_number_is_read_up_to_its_limits_and_no_further(schema, parse) -> None:
    least = {name: LEAST[name] for name in schema["required"]}
    for name, kind in schema["properties"].items():
        if kind.get("type") not in ("integer", "number"):
            continue
        more = {"logprobs": True} if name == "top_logprobs" else {}
        for value in (kind["minimum"], kind["maximum"]):
            parse({**least, **more, name: value})
        with pytest.raises(InputError) as caught:
            parse({**least, **more, name: kind["maximum"] * 2 + 2})
        assert caught.value.details["param"] == name


@pytest.mark.parametrize(("schema", "parse"), READ)
def test_a_null_is_a_field_that_was_not_given(schema, parse) -> None:
    least = {name: LEAST[name] for name in schema["required"]}
    nothing = dict.fromkeys(schema["properties"])
    assert parse({**nothing, **least}) == parse(least)


def test_errors_are_described() -> None:
    described = openai_schemas.described(openai_schemas.CHAT)
    assert set(described["responses"]) == {"400", "404", "413", "503"}
