"""Named converters: upstream files to canonical rows, the same bytes wherever they run.

It knows which converters there are and how a row becomes a line; where the files come from is not
its concern. A converter's name ends in a version: once a recipe uses it, its output never changes.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence

from metier.datasets.converters.coding import CodingItem, coding_item, humaneval, mbpp
from metier.datasets.converters.intents import (
    banking77,
    clinc150,
    nlu_evaluation,
    sms_spam,
    snips,
)
from metier.datasets.converters.pictures import labelled_pictures
from metier.datasets.converters.recorded import svelte_bench, svelte_bench_prompts
from metier.datasets.converters.snippets import code_snippets
from metier.datasets.converters.upstream import Converter, UpstreamBytes, bad_upstream
from metier.errors import NotFoundError

__all__ = ["CONVERTERS", "CodingItem", "UpstreamBytes", "canonical_lines", "coding_item"]

CONVERTERS: dict[str, Converter] = {
    "banking77-csv-v1": banking77,
    "clinc150-json-v1": clinc150,
    "code-snippets-v1": code_snippets,
    "humaneval-jsonl-gz-v1": humaneval,
    "labelled-pictures-v1": labelled_pictures,
    "mbpp-jsonl-v1": mbpp,
    "nlu-evaluation-json-v1": nlu_evaluation,
    "sms-tsv-v1": sms_spam,
    "snips-json-v1": snips,
    "svelte-bench-json-v1": svelte_bench,
    "svelte-bench-prompts-v1": svelte_bench_prompts,
}
"""Every converter that a recipe can name, besides ``auto``."""


def canonical_lines(name: str, files: Sequence[UpstreamBytes]) -> Iterator[bytes]:
    """The canonical rows of ``files`` as lines of JSON in UTF-8, each with its newline.

    Args:
        name: A converter of ``CONVERTERS``.
        files: Upstream files in the order of the recipe.

    Raises:
        NotFoundError: Code ``no_converter``.
        InputError: Code ``bad_upstream``, naming the file where that is known.
    """
    converter = CONVERTERS.get(name)
    if converter is None:
        raise NotFoundError(
            f"There is no converter {name!r}.",
            code="no_converter",
            remedy=f"Use 'auto' or one of: {', '.join(sorted(CONVERTERS))}.",
        )
    try:
        for row in converter(files):
            if isinstance(row, bytes):  # upstream's own line
                yield row
            else:
                yield json.dumps(row, ensure_ascii=False).encode() + b"\n"
    except (KeyError, TypeError, ValueError, AttributeError, csv.Error) as error:
        paths = ", ".join(file.path for file in files[:3]) + (" …" if len(files) > 3 else "")
        raise bad_upstream(
            paths, f"{name} did not find what it expects ({type(error).__name__}: {error})"
        ) from error
