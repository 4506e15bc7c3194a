"""What an address asks of the catalogue, and how the answer is told."""

from __future__ import annotations

import json

import pytest

from metier.errors import InputError
from metier.finding import Entry, Facet, Fit, Found, Hit, Proof, Query, Reason
from metier.server.queries import found_json, parameters, parse_query
from stand_in.cards import banking


def test_an_empty_address_asks_for_everything() -> None:
    assert parse_query({}) == Query()
    assert parse_query({"q": "", "task": " ", "most_bytes": "", "fits": "0"}) == Query()


def test_every_filter_is_read() -> None:
    asked = {
        "q": " bank ",
        "task": "classify",
        "domain": "general",
        "licence": "MIT",
        "base": "tiny",
        "most_bytes": "1000000",
        "least_context": "2048",
        "fits": "on",
        "proved": "1",
        "verdict": "WIN",
        "since": "2026-01-01",
        "here": "true",
        "origin": "here",
        "order": "smallest",
        "limit": "5",
        "offset": "10",
        "meaning": "0",
    }
    assert parse_query(asked) == Query(
        "bank", "classify", "general", "MIT", "tiny", 1_000_000, 2048, True, True,
        "WIN", "2026-01-01", True, "here", "smallest", 5, 10, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("q", "x" * 401),
        ("task", "x" * 201),
        ("most_bytes", "-1"),
        ("most_bytes", "1e9"),
        ("least_context", "\u0661"),
        ("limit", "0"),
        ("limit", "101"),
        ("offset", "9" * 30),
        ("fits", "perhaps"),
        ("order", "likes"),
        ("verdict", "GREAT"),
        ("since", "20260101"),
        ("since", "2026-13-01"),
    ],
)
def test_a_bad_value_is_refused_by_name(field: str, value: str) -> None:
    with pytest.raises(InputError) as told:
        parse_query({field: value})
    assert field in told.value.message
    assert told.value.details == {"param": field}
    assert len(told.value.message) < 200


def test_every_field_that_is_read_is_described() -> None:
    class Asked(dict[str, str]):
        """Notes which fields are looked for."""

        def __init__(self) -> None:
            super().__init__()
            self.seen: set[str] = set()

        def get(self, key: str, default: object = None) -> object:  # type: ignore[override]
            self.seen.add(key)
            return default

        def __contains__(self, key: object) -> bool:
            self.seen.add(str(key))
            return False

    asked = Asked()
    parse_query(asked)
    assert asked.seen == {one["name"] for one in parameters()}


def test_what_was_found_is_told_whole() -> None:
    evidence = banking().evidence[0]
    entry = Entry(name="a/b", kind="specialist", task="classify", evidence=(evidence,))
    hit = Hit(
        entry,
        "here",
        installed="b",
        proof=Proof(evidence, "here", "2027-02-01"),
        verdicts={"base": "WIN"},
        fit=Fit("yes", memory_bytes=1_200_000_000),
        reasons=(Reason("proof", "proved here"),),
    )
    found = Found(
        Query("svetle"),
        (hit,),
        1,
        {"task": (Facet("classify", 1),)},
        (("svetle", "svelte"),),
        1.23456,
        ("a note",),
    )
    told = json.loads(json.dumps(found_json(found)))
    (shown,) = told["hits"]
    assert shown["proof"]["measured"] == "here"
    assert shown["proof"]["evidence"]["difference"]["verdict"] == "WIN"
    assert shown["fit"]["said"].startswith("runs here")
    assert shown["reasons"] == [{"kind": "proof", "said": "proved here"}]
    assert told["corrected"] == [{"from": "svetle", "to": "svelte"}]
    assert told["facets"] == {"task": [{"value": "classify", "count": 1}]}
    assert told["milliseconds"] == 1.235
