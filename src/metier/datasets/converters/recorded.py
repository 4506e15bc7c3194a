"""Answers of models that others recorded, upstream files to rows: one row an answer.

It knows SvelteBench's files of results and its prompts; whether a recorded verdict is to be
believed is not its concern.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from metier.datasets.converters.upstream import Row, UpstreamBytes, bad_upstream

_NAMED = re.compile(r"(\d{4}-\d{2}-\d{2})T[^/]*\.json\Z")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
MOST_ERROR = 300
"""Characters of an error message that are kept."""


def svelte_bench(files: Sequence[UpstreamBytes]) -> Iterator[Row]:
    """The answers in SvelteBench's ``benchmark-results-….json``, by date, model and task.

    The date is that of the file's name. Answers of one system to one task stay in upstream's
    order; of several errors the first is kept, without its colours.
    """
    rows = [row for file in files for row in _answers(file)]
    rows.sort(key=lambda row: (row["date"], row["model"], row["docs_in_prompt"], row["task"]))
    yield from rows


def svelte_bench_prompts(files: Sequence[UpstreamBytes]) -> Iterator[bytes]:
    """SvelteBench's ``src/tests/TASK/prompt.md`` as one JSON object, task to prompt."""
    prompts = {file.path.split("/")[-2]: file.text() for file in files}
    yield json.dumps(dict(sorted(prompts.items())), indent=1, ensure_ascii=False).encode()


def _answers(file: UpstreamBytes) -> Iterator[dict[str, Any]]:
    named = _NAMED.search(file.name)
    if named is None:
        raise bad_upstream(file.path, "its name holds no date")
    for test in file.json():
        with_documents = bool((test.get("context") or {}).get("used"))
        for sample in test["samples"]:
            errors = sample.get("errors") or []
            yield {
                "date": named.group(1),
                "model": test["modelId"],
                "docs_in_prompt": with_documents,
                "task": test["testName"],
                "passed": sample["success"],
                "answer": sample["code"],
                "error": _COLOURS.sub("", errors[0])[:MOST_ERROR] if errors else None,
            }
