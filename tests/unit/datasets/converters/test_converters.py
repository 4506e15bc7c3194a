"""Canonical rows are lines of UTF-8 JSON, the same bytes each time."""

import re

import pytest

from metier.datasets.converters import CONVERTERS, UpstreamBytes, canonical_lines
from metier.errors import NotFoundError


def test_lines_are_utf8_json_in_field_order_with_a_newline_each():
    files = [UpstreamBytes("train.csv", "text,category\nCafé 😀?,a\nb,c\n".encode())]
    lines = list(canonical_lines("banking77-csv-v1", files))
    assert lines[0] == '{"text": "Café 😀?", "label": "a", "split": "train"}\n'.encode()
    assert lines == list(canonical_lines("banking77-csv-v1", files))


def test_every_name_carries_a_version():
    assert all(re.fullmatch(r"[a-z0-9-]+-v\d+", name) for name in CONVERTERS)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(NotFoundError) as caught:
        list(canonical_lines("nope", []))
    assert caught.value.code == "no_converter"
    assert "banking77-csv-v1" in (caught.value.remedy or "")
