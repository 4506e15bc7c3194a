"""Looking at rows through the façade: with the base of this home, or without one."""

from __future__ import annotations

from pathlib import Path

import made_up
import tiny_bert
import workshop
from metier.assembly.looking import Looking


def test_the_base_of_this_home_is_measured(tmp_path: Path) -> None:
    metier = workshop.opened(tmp_path / "home", base=False)
    data = made_up.write(tmp_path / "rows.jsonl", made_up.rows(10))
    without = metier.rows.preview(data, columns={"text": "text"})["expected"]
    assert without["encoder_ms"] is None
    metier.install_base(tiny_bert.make_folder(tmp_path / "upstream"), name=workshop.BASE)
    rows = Looking(metier._workbench, workshop.BASE)
    found = rows.preview(data)["expected"]
    assert found["encoder_ms"] > 0
    assert found["seconds"] > without["seconds"]


def test_rows_are_cleaned(tmp_path: Path) -> None:
    metier = workshop.opened(tmp_path / "home", base=False)
    path = tmp_path / "rows.csv"
    path.write_text("text,label\na,x\nb,x\n,x\nc,y\nd,y\n")
    reasons = metier.rows.clean(path, tmp_path / "clean.jsonl", text="text", label="label")
    assert reasons == {"it has no text": 1}
