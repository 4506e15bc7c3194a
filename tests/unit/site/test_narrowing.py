"""Filters as choices, and every choice as an address that means what it says."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from metier.cli.amounts import Size
from metier.finding import Facet, Found, Query
from metier.server.queries import parse_query
from metier.site.narrowing import address, command, narrowing, origin_words

FULL = Query(
    words="a & b=c # ?\u202e<script>",
    task="classify",
    domain="sql",
    licence="MIT",
    base="owner/base",
    most_bytes=5_000_000_000,
    least_context=8192,
    fits=True,
    proved=True,
    verdict="NOT WORSE",
    since="2026-01-01",
    here=True,
    origin="a catalogue",
    order="smallest",
    limit=5,
    offset=40,
    meaning=False,
)


@pytest.mark.parametrize(
    "query", [Query(), FULL, replace(Query(), words="x"), replace(FULL, meaning=True, fits=False)]
)
def test_an_address_is_read_as_the_query_that_it_was_made_of(query: Query) -> None:
    parts = urlsplit(address(query))
    assert parts.path == "/"
    assert parse_query(dict(parse_qsl(parts.query))) == query


def test_an_address_says_only_what_is_asked() -> None:
    assert address(Query()) == "/"
    assert address(Query(words="sql", offset=20), "/find.json") == "/find.json?q=sql&offset=20"


def test_a_change_starts_at_the_first_hit() -> None:
    query = Query(words="sql", offset=40)
    assert address(query, task="chat") == "/?q=sql&task=chat"
    assert address(query, offset=60) == "/?q=sql&offset=60"


def test_choices_have_counts_and_keep_what_is_chosen() -> None:
    facets = {"task": tuple(Facet(f"task{n}", 30 - n) for n in range(20))}
    shown = narrowing(Found(Query(task="rare"), (), 0, facets))
    (task, _) = shown["lists"]
    assert len(task["choices"]) == 13
    assert task["choices"][0] == ("task0", "task0", 30, False)
    assert task["choices"][-1] == ("rare", "rare", None, True)
    same = narrowing(Found(Query(task="TASK0"), (), 0, facets))["lists"][0]
    assert [on for *_, on in same["choices"]].count(True) == 1


def test_every_filter_that_is_set_can_be_taken_away() -> None:
    shown = narrowing(Found(FULL, (), 0))
    said = [one["said"] for one in shown["chosen"]]
    assert len(said) == 12
    assert "Size: up to 5.0\u202fGB" in said
    assert "Context: 8,192 tokens or more" in said
    assert "Since: 1 Jan 2026" in said
    for one in shown["chosen"]:
        left = parse_query(dict(parse_qsl(urlsplit(one["without"]).query)))
        assert len(narrowing(Found(left, (), 0))["chosen"]) == 11
        assert left.words == FULL.words
    fewer = parse_query(dict(parse_qsl(urlsplit(shown["fewer"]).query)))
    assert fewer == Query(words=FULL.words)


def test_a_size_that_is_no_step_is_among_the_steps() -> None:
    shown = narrowing(Found(Query(most_bytes=123), (), 0))
    size = next(one for one in shown["selects"] if one["name"] == "most_bytes")
    assert ("123", "up to 123\u202fB", True) in size["choices"]
    assert len(size["choices"]) == 7


def test_the_command_is_safe_to_paste() -> None:
    assert command(Query()) == "metier find"
    asked = Query(words="it's; rm -rf /", proved=True, order="newest", meaning=False)
    told = command(asked)
    assert told == ("metier find 'it'\"'\"'s; rm -rf /' --proved --order newest --no-meaning")


@pytest.mark.parametrize(
    ("size", "said"),
    [(5 * 10**9, "5GB"), (1_500_000_000, "1500MB"), (2000, "2kB"), (123, "123B"), (0, "0B")],
)
def test_a_size_is_typed_as_the_command_line_reads_it(size: int, said: str) -> None:
    assert command(Query(most_bytes=size)) == f"metier find --max-size {said}"
    assert Size().convert(said, None, None) == size


def test_an_origin_has_its_words() -> None:
    assert origin_words("curated") == "Metier's own list"
    assert origin_words("x" * 100) == "x" * 59 + "…"
