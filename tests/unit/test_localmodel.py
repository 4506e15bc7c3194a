"""model.json."""

from __future__ import annotations

import json

import pytest

from metier.errors import CorruptError
from metier.localmodel import AdapterPart, LocalModelFile

WHOLE = LocalModelFile(
    weights=("model.gguf",),
    adapters=(AdapterPart(file="adapter.gguf", scale=0.5),),
    base="sha256:" + "0" * 64,
    system="Be short.",
    parameters={"temperature": 0.1},
)


def test_it_is_read_as_it_was_written():
    assert LocalModelFile.from_bytes(WHOLE.to_bytes()) == WHOLE


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"format": 2}, "format"),
        ({"weights": "model.gguf"}, "weights"),
        ({"command": "rm"}, "command"),
        ({"adapters": [{"file": "a", "scale": "loud"}]}, "adapters.0.scale"),
    ],
)
def test_what_it_does_not_know_is_refused_by_name(change, where):
    document = {**json.loads(WHOLE.to_bytes()), **change}
    with pytest.raises(CorruptError) as caught:
        LocalModelFile.from_bytes(json.dumps(document).encode())
    assert caught.value.code == "bad_model"
    assert where in caught.value.message
