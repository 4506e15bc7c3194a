"""Languages of people: English is at home, programming languages limit nothing."""

from __future__ import annotations

import pytest

from metier.catalog.tongues import foreign, named_in


@pytest.mark.parametrize(
    ("languages", "said"),
    [
        ("", ""),
        ('["ja"]', "Japanese"),
        ('["pt-BR"]', "Portuguese"),
        ('["ja", "python"]', "Japanese"),
        ('["de", "fr"]', "German and French"),
        ('["ja"],"licence":"en"', "Japanese"),
        ('["sql"]', ""),
        ('["en", "zh"]', ""),
        ('["multilingual", "de"]', ""),
    ],
)
def test_what_an_entry_is_limited_to(languages: str, said: str) -> None:
    assert foreign(languages) == said


def test_a_query_names_it_by_name_or_code() -> None:
    assert named_in("Japanese", {"japanese", "data"})
    assert named_in("Japanese", {"jp"})
    assert not named_in("Japanese", {"data"})
    assert not named_in("", {"japanese"})
