"""OpenAI's dialect: the list of models."""

from __future__ import annotations

from dataclasses import replace

from metier.server import openai
from stand_in.models import listing


def test_an_adapter_names_its_base_as_parent() -> None:
    listed = openai.models([replace(listing("svelte"), parent="qwen"), listing("qwen")])
    assert listed["object"] == "list"
    first, second = listed["data"]
    assert first == {
        "id": "svelte",
        "object": "model",
        "created": 1793527200,
        "owned_by": "metier",
        "parent": "qwen",
        "task": "generate",
    }
    assert second["parent"] is None


def test_ids_keep_their_tag_and_namespace() -> None:
    model = openai.model(replace(listing("hf.co/team/x:Q8_0"), modified="long ago"))
    assert (model["id"], model["owned_by"], model["created"]) == (
        "hf.co/team/x:Q8_0",
        "hf.co/team",
        0,
    )
