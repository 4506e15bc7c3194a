"""Folders of pictures named by label to canonical rows: one line a file, its bytes in base64.

It knows paths; it decodes nothing, so the rows are upstream's own bytes and no library can change
their digest.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

from metier.datasets.converters.upstream import Row, UpstreamBytes
from metier.datasets.picturefolders import layout


def labelled_pictures(files: Sequence[UpstreamBytes]) -> Iterator[Row]:
    """``label/name.jpg`` or ``train/label/name.jpg``, in order of path."""
    ordered = sorted(files, key=lambda file: file.path)
    content = {file.path: file.content for file in ordered}
    for entry in layout([file.path for file in ordered], "the repository").entries:
        row = {
            "picture": base64.b64encode(content[entry.path]).decode("ascii"),
            "label": entry.label,
            "path": entry.path,
        }
        yield row if entry.split is None else {**row, "split": entry.split}
