"""A chat specialist as something that writes, over the base that was chosen."""

from __future__ import annotations

import json
from pathlib import Path

import coding_fleet
import workshop
from metier.assembly import Metier
from scripted import service, told


def questions(home: Path) -> Path:
    path = home / "questions.jsonl"
    rows = [{"question": f"{n} + 1?", "answer": str(n + 1)} for n in range(12)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_chat_specialist_answers_over_its_base(tmp_path: Path) -> None:
    with service() as seen:
        seen.always = told("It is 3.\n3")
        home = tmp_path / "home"
        coding_fleet.opened(home, service=seen.service.url).close()
        metier = Metier.open(workshop.settings(home, METIER_BASE="remote:big"))
        found = metier.find_by_eval(questions(tmp_path), candidates=["coder", "remote:big"])
        metier.close()
    kinds = {one.name: one.kind for one in found.candidates}
    assert kinds == {"coder": "specialist", "remote:big": "local service"}
    assert found.failures == ()
    assert found.search.level
    bare = Metier.open(workshop.settings(home))
    (left,) = bare.trying.field(questions(tmp_path), ["coder"]).left_out
    assert "needs a base" in left.why
