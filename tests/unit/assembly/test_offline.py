"""An examiner that fetches nothing, over recipes of local files and of repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

import watched_home
from metier.assembly.offline import without_fetching
from metier.errors import UnavailableError
from metier.messages import silent


def test_local_rows_are_read_and_repositories_are_not_asked(tmp_path: Path) -> None:
    metier = watched_home.made(tmp_path)
    workbench = metier._workbench
    examiner = without_fetching(workbench.examiner(), workbench, tmp_path)
    installed = metier.show(watched_home.NAME)
    assert len(examiner.training(installed) or ()) == 80
    (kept,) = (tmp_path / "evals").glob("*.jsonl")
    kept.unlink()
    assert len(examiner.eval_of(installed.name, None).items) == 60  # sealed again from the file
    assert kept.exists()
    metier.install_starters(silent)
    starter = metier.show("code-language")  # its rows come from repositories
    assert examiner.training(starter) is None
    with pytest.raises(UnavailableError) as refused:
        examiner.eval_of(starter.name, None)
    assert refused.value.code == "eval_not_here"
    assert "metier watch code-language" in (refused.value.remedy or "")
