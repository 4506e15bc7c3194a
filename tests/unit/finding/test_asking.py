"""A question to the catalogue."""

from __future__ import annotations

from metier.finding import Query


def test_an_empty_question_asks_for_everything_the_best_first() -> None:
    query = Query()
    assert (query.words, query.task, query.order, query.offset) == ("", "", "best", 0)
    assert (query.fits, query.proved, query.here) == (False, False, False)
