"""OpenAI's dialect: the list of models."""

from __future__ import annotations

from pathlib import Path

from metier.server import openai
from stand_in.cards import banking, bare
from stand_in.metier import StandIn


def test_a_model_names_its_base_as_parent(tmp_path: Path) -> None:
    listed = openai.models(StandIn(tmp_path, [banking(), bare()]).list())
    assert listed["object"] == "list"
    first, second = listed["data"]
    assert first == {
        "id": "banking-intents",
        "object": "model",
        "created": 1794474871,
        "owned_by": "metier",
        "parent": "all-minilm-l6-v2",
    }
    assert second["parent"] is None


def test_a_date_that_is_none_gives_zero(tmp_path: Path) -> None:
    card = banking().model_copy(update={"name": "team/x:2", "made": "long ago"})
    model = openai.model(StandIn(tmp_path, [card]).show("team/x:2"))
    assert (model["created"], model["id"], model["owned_by"]) == (0, "team/x:2", "team")
