"""Folders of pictures as canonical rows: upstream's own bytes, in order of path."""

from __future__ import annotations

import base64
import json

from metier.datasets.converters import UpstreamBytes, canonical_lines


def test_rows_are_in_order_of_path_with_the_bytes_in_base64() -> None:
    files = [
        UpstreamBytes("test/hat/2.jpg", b"two"),
        UpstreamBytes("README.md", b"text"),
        UpstreamBytes("train/shirt/1.png", b"one"),
    ]
    rows = [json.loads(line) for line in canonical_lines("labelled-pictures-v1", files)]
    assert [(row["path"], row["label"], row["split"]) for row in rows] == [
        ("test/hat/2.jpg", "hat", "test"),
        ("train/shirt/1.png", "shirt", "train"),
    ]
    assert base64.b64decode(rows[0]["picture"]) == b"two"
    assert list(rows[0]) == ["picture", "label", "path", "split"]
