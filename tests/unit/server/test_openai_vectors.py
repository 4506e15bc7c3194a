"""OpenAI's embeddings and Jina's rerank: unit vectors, base64, orders."""

from __future__ import annotations

import base64
import math
import struct

import pytest

from metier.errors import InputError
from metier.generating import Embedded, Ranked
from metier.server import openai_vectors as vectors

TEXT = {"model": "words", "input": "a"}
RANK = {"model": "words", "query": "q", "documents": ["a", {"text": "b"}]}


def test_vectors_have_unit_length() -> None:
    asked = vectors.parse_embeddings({**TEXT, "input": ["a", "b"]})
    body = vectors.embeddings(asked, Embedded(((3.0, 4.0), (0.0, 0.0)), 5))
    assert [item["embedding"] for item in body["data"]] == [[0.6, 0.8], [0.0, 0.0]]
    assert [item["index"] for item in body["data"]] == [0, 1]
    assert body["usage"] == {"prompt_tokens": 5, "total_tokens": 5}


def test_base64_is_little_endian_float32() -> None:
    asked = vectors.parse_embeddings({**TEXT, "encoding_format": "base64"})
    (item,) = vectors.embeddings(asked, Embedded(((3.0, 4.0),), 1))["data"]
    numbers = struct.unpack("<2f", base64.b64decode(item["embedding"]))
    assert numbers == pytest.approx((0.6, 0.8))


def test_fewer_dimensions_are_at_unit_length_again() -> None:
    asked = vectors.parse_embeddings({**TEXT, "dimensions": 2})
    (item,) = vectors.embeddings(asked, Embedded(((3.0, 4.0, 12.0),), 1))["data"]
    assert math.hypot(*item["embedding"]) == pytest.approx(1.0)
    with pytest.raises(InputError):
        vectors.embeddings(asked, Embedded(((1.0,),), 1))


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": [1, 2]}, "input"),
        ({"input": [[1]]}, "input"),
        ({"input": ["a"] * 2049}, "input"),
        ({"input": "a" * 1_000_001}, "input"),
        ({"input": "\ud800"}, "input"),
        ({"input": {}}, "input"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"dimensions": 0}, "dimensions"),
    ],
)
def test_what_cannot_be_embedded_is_refused_by_name(more: dict, param: str) -> None:
    with pytest.raises(InputError) as caught:
        vectors.parse_embeddings({**TEXT, **more})
    assert caught.value.details["param"] == param


def test_an_order_keeps_the_places_of_the_documents() -> None:
    asked = vectors.parse_rerank({**RANK, "top_n": 1})
    body = vectors.ranking(asked, Ranked(((1, 0.9), (0, 0.1)), 4))
    assert body["results"] == [{"index": 1, "relevance_score": 0.9, "document": {"text": "b"}}]
    assert body["usage"]["total_tokens"] == 4
    bare = vectors.parse_rerank({**RANK, "return_documents": False})
    assert "document" not in vectors.ranking(bare, Ranked(((1, 0.9), (0, 0.1)), 4))["results"][0]


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"query": " "}, "query"),
        ({"documents": []}, "documents"),
        ({"documents": "a"}, "documents"),
        ({"documents": [3]}, "documents[0]"),
        ({"documents": ["a"] * 2049}, "documents"),
        ({"top_n": 0}, "top_n"),
    ],
)
def test_what_cannot_be_ranked_is_refused_by_name(more: dict, param: str) -> None:
    with pytest.raises(InputError) as caught:
        vectors.parse_rerank({**RANK, **more})
    assert caught.value.details["param"] == param
