"""The page on making a model from another does what it says, block by block, in its order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from metier.assembly import Metier
from metier.cli.program import program
from metier.cli.session import Session
from metier.fleet import Fleet
from metier.settings import Settings
from metier.store import Store
from tiny_gguf import tiny_adapter, tiny_folder, tiny_model

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "make-a-model-from-another.md"
BLOCKS = re.findall(r"^```(sh|modelfile)\n(.*?)^```", PAGE.read_text("utf-8"), re.S | re.M)


def test_every_block_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tiny_model(tmp_path)
    tiny_adapter(tmp_path, weights, seed=1).rename(tmp_path / "adapter.gguf")
    weights.rename(tmp_path / "model.gguf")
    tiny_folder(tmp_path / "folder")
    monkeypatch.chdir(tmp_path)
    settings = Settings.read({"METIER_HOME": str(tmp_path / "home")})
    metier = Metier(settings, Fleet(Store.open(settings.home)))
    ran = 0
    for kind, block in BLOCKS:
        if kind == "modelfile":
            (tmp_path / "Modelfile").write_text(block)
            continue
        for line in block.splitlines():
            words = shlex.split(line)
            assert words[0] == "metier"
            result = CliRunner().invoke(program, words[1:], obj=Session(lambda: metier))
            assert result.exit_code == 0, (line, result.output)
            ran += 1
    assert ran >= 13
    names = {item.name for item in metier.list()}
    assert names == {"tiny", "tuned", "converted", "again"}
    assert metier.fleet.store.verify().problems == ()
