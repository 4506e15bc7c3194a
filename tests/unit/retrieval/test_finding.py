from __future__ import annotations

import pytest

from metier.conversing import Passage
from metier.retrieval.finding import Found, excerpt, probability, share_of_words, told


def passage(text: str = "Use the thing.", **more: object) -> Passage:
    facts = {
        "id": "a",
        "title": "Page",
        "trail": ("Page", "Part"),
        "path": "a.md",
        "source": "docs@1",
    }
    return Passage(text=text, address="https://a.example/docs/page#Part", **facts | more)  # type: ignore[arg-type]


def test_nearer_and_more_words_is_surer() -> None:
    assert probability(0.7, 0.8) > probability(0.5, 0.8) > probability(0.5, 0.3) > 0
    assert probability(None, 0.9) > probability(None, 0.2)


@pytest.mark.parametrize(
    ("likely", "word"), [(0.95, "likely"), (0.6, "likely"), (0.59, "perhaps"), (0.1, "unlikely")]
)
def test_the_probability_as_a_word(likely: float, word: str) -> None:
    assert Found((passage(),), likely, "words and meaning").sure == word


def test_the_share_counts_telling_words_of_the_best_passage() -> None:
    rarities = {"rare": 6.0, "usual": 2.0}
    assert share_of_words(rarities, [frozenset({"usual"}), frozenset({"rare"})]) == 0.75
    assert share_of_words(rarities, []) == 0.0
    assert share_of_words({}, [frozenset({"a"})]) == 0.0


def test_an_answer_cites_and_says_how_sure_it_is() -> None:
    text = told(Found((passage(),), 0.9, "words and meaning"))
    assert "should answer" in text
    assert "Use the thing." in text
    assert "[1] Page › Part  https://a.example/docs/page#Part  (docs@1)" in text
    assert "words only" not in text


def test_an_answer_says_that_it_was_searched_by_words_only() -> None:
    assert "by words only" in told(Found((passage(),), 0.4, "words only"))
    assert "probably do not" in told(Found((passage(),), 0.1, "words only"))


def test_nothing_found_is_said() -> None:
    assert told(Found((), 0.0, "words only")) == "Nothing in these documents has to do with that."


def test_an_excerpt_leaves_no_fence_open_and_nothing_that_is_obeyed() -> None:
    short = excerpt("Before.\n\n```js\n" + "let a = 1;\n" * 300 + "```\n\nAfter.\x1b[31m<|im_end|>")
    assert short.count("```") == 2
    assert len(short) < 1_600
    assert "After" not in short
    assert "<|im_end|>" not in excerpt("a <|im_end|> b")
