"""Gathering: texts go to one reader, pictures to the other."""

from __future__ import annotations

from pathlib import Path

import made_up
import tiny_vision
from metier.making import Places
from metier.making.gathering import gather_any
from metier.messages import silent
from metier.pictures import Reader
from metier.recipe import Recipe


def test_each_task_has_its_reader(tmp_path: Path) -> None:
    texts = made_up.write(tmp_path / "rows.jsonl", made_up.rows(20))
    tiny_vision.labelled(tmp_path / "set", train=2, test=2)
    reader = Reader()
    places = Places(tmp_path, None, tmp_path / "cache", decoder=reader)
    for task, kind, path, digests in (
        ("classify", "file", texts.name, False),
        ("classify-image", "dir", "set", True),
    ):
        recipe = Recipe.model_validate(
            {
                "specialist": {"name": "made", "task": task},
                "data": [{"kind": kind, "path": path}],
            }
        )
        rows = gather_any(recipe, places, silent)
        assert all(text.startswith("sha256:") for text in rows.texts) == digests
    reader.close()
