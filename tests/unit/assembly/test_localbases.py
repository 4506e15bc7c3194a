"""A local model as a base: turns become a question, and a file is used where it lies."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from metier.assembly.localbases import FileBases, LocalGenerator
from metier.assembly.residences import Loadable
from metier.conversing import Sampling, Turn
from metier.errors import InputError, NotFoundError
from metier.generating import Piece, Question, Taken, Weights, Written
from tiny_gguf import tiny_adapter, tiny_model

LOADABLE = Loadable("tiny", Weights("sha256:" + "a" * 64, (Path("x.gguf"),)))


def test_a_draft_is_written_and_streamed() -> None:
    asked: list[Question] = []

    def ask(loadable: Loadable, question: Question, **how: Any) -> Written:
        asked.append(question)
        if how["on_piece"] is not None:
            how["on_piece"](Piece(thinking="hm"))
            how["on_piece"](Piece(text="yes"))
        return Written("yes", thinking="hm", taken=Taken(total=0.5, tokens_in=3, tokens_out=2))

    generator = LocalGenerator(LOADABLE, ask)
    heard: list[str] = []
    sampling = Sampling(temperature=0.5, max_tokens=7)
    draft = generator.generate([Turn("user", "well?")], sampling, on_text=heard.append)
    assert draft.text == "yes"
    assert draft.extra == {"reasoning": "hm"}
    assert (draft.tokens_in, draft.tokens_out, draft.spent) == (3, 2, 0.0)
    assert heard == ["yes"]
    assert asked[0].options.num_predict == 7
    assert generator.name == "local:tiny"
    assert generator.servable
    assert generator.generate([Turn("user", "well?")], Sampling()).text == "yes"


def test_everything_that_changes_answers_is_in_the_digest() -> None:
    others = [
        Loadable("other name", LOADABLE.weights),
        Loadable("tiny", LOADABLE.weights, system="Be kind."),
        Loadable("tiny", LOADABLE.weights, parameters={"temperature": 0.1}),
        Loadable("tiny", Weights("sha256:" + "b" * 64, (Path("x.gguf"),))),
    ]
    digests = [other.digest for other in others]
    assert digests[0] == LOADABLE.digest
    assert len({LOADABLE.digest, *digests}) == 4


def test_a_file_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model(tmp_path)
    remembered = tmp_path / "cache" / "digests.json"
    first = FileBases(remembered).loadable(model)
    assert first.name == model.name
    assert first.weights.files == (model,)
    monkeypatch.setattr("metier.assembly.localbases.hashlib", None)
    assert FileBases(remembered).loadable(model) == first
    monkeypatch.undo()
    remembered.write_text("[1]")
    assert FileBases(remembered).loadable(model) == first
    assert len(json.loads(remembered.read_text())) == 1
    copied = tmp_path / "copied.gguf"
    shutil.copy(model, copied)
    assert FileBases(remembered).loadable(copied).weights.digest == first.weights.digest


def test_what_is_no_base_is_refused(tmp_path: Path) -> None:
    bases = FileBases(tmp_path / "digests.json")
    with pytest.raises(NotFoundError) as told:
        bases.loadable(tmp_path / "nowhere.gguf")
    assert told.value.code == "file_not_found"
    (tmp_path / "bad.gguf").write_bytes(b"GGUF")
    with pytest.raises(InputError) as wrong:
        bases.loadable(tmp_path / "bad.gguf")
    assert wrong.value.code == "bad_gguf"
    adapter = tiny_adapter(tmp_path, tiny_model(tmp_path), seed=1)
    with pytest.raises(InputError, match="adapter") as other:
        bases.loadable(adapter)
    assert other.value.code == "bad_base"


def test_shards_are_found_by_any_of_them(tmp_path: Path) -> None:
    names = [f"big-0000{n}-of-00003.gguf" for n in (1, 2, 3)]
    model = tiny_model(tmp_path)
    for name in names:
        shutil.copy(model, tmp_path / name)
    bases = FileBases(tmp_path / "digests.json")
    found = bases.loadable(tmp_path / names[1]).weights.files
    assert [path.name for path in found] == names
    (tmp_path / names[2]).unlink()
    with pytest.raises(InputError, match="3 shards") as told:
        bases.loadable(tmp_path / names[1])
    assert told.value.code == "bad_gguf"
