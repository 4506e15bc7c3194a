"""Plans for pages: what is loaded, what is refused, and how ranges are written down."""

from __future__ import annotations

import json
import unicodedata

import pytest

import running_fleet
import workshop
from metier.answer import browsing
from metier.answer.browsing import alphabet, plan_of
from metier.assembly import Metier
from metier.engines.encoder import read_base
from metier.engines.parts import SPECIALIST_FILE, SpecialistFile
from metier.errors import CorruptError, InputError, NotFoundError
from metier.reference import Reference


@pytest.fixture(scope="module")
def metier(tmp_path_factory) -> Metier:
    return running_fleet.opened(tmp_path_factory.mktemp("plans"))


def specialist(metier: Metier, name: str) -> SpecialistFile:
    return SpecialistFile.from_bytes(metier.read_part(name, SPECIALIST_FILE))


def base(metier: Metier):
    folder = metier.fleet.store.folder(Reference.parse(workshop.BASE))
    return read_base(folder), metier.parts(workshop.BASE)


def planned(metier: Metier, name: str, change=lambda found: found):
    file = specialist(metier, name)
    return plan_of(name, "sha256:0", file, metier.parts(name), lambda: change(base(metier)))


LOADED = {
    "words": ["linear.safetensors"],
    "same": ["prior.safetensors"],
    "table": ["static.safetensors", "tokenizer.json", "static.safetensors"],
    "small": ["int8.safetensors", "tokenizer.json", "encoder-int8.onnx"],
    "full": ["fp32.safetensors", "tokenizer.json", "encoder-fp32.onnx", "model.safetensors"],
}


@pytest.mark.parametrize("name", LOADED)
def test_a_plan_names_what_is_loaded_and_nothing_else(metier, name) -> None:
    plan = planned(metier, name)
    assert [item.name for item in plan.files] == LOADED[name]
    for item in plan.files:
        assert item.path.stat().st_size == item.size
        assert plan.file(item.digest) == item
    assert plan.file("sha256:" + "0" * 64) is None
    assert plan.encoder == (name in ("small", "full"))
    assert plan.exact == (name != "small")


def test_a_plan_is_json_and_names_no_path(metier, tmp_path) -> None:
    plan = planned(metier, "team/both")
    told = json.dumps(plan.document)
    assert str(metier.settings.home) not in told
    assert json.loads(told)["labels"] == list(running_fleet.LABELS)
    kinds = [member["kind"] for member in plan.document["members"]]
    assert kinds == ["linear", "encoder"]


def test_a_file_that_is_named_but_not_there_is_said(metier) -> None:
    file = specialist(metier, "words")
    with pytest.raises(CorruptError, match=r"linear\.safetensors"):
        plan_of("words", "sha256:0", file, (), lambda: base(metier))


def test_a_base_without_the_graph_is_said(metier) -> None:
    def without(found):
        description, parts = found
        digests = {key: value for key, value in description.digests.items() if "int8" not in key}
        return description.__class__(
            description.folder,
            description.name,
            description.dimension,
            description.max_tokens,
            description.pooling,
            digests,
            description.sizes,
        ), parts

    with pytest.raises(NotFoundError) as caught:
        planned(metier, "small", without)
    assert caught.value.code == "base_incomplete"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("normalizer", {"type": "Precompiled"}),
        ("pre_tokenizer", {"type": "Whitespace"}),
        ("model", {"type": "BPE"}),
        ("post_processor", None),
        (
            "added_tokens",
            [{"normalized": True, "lstrip": False, "rstrip": False, "single_word": False}],
        ),
    ],
)
def test_a_tokenizer_of_another_kind_is_refused(metier, tmp_path, key, value) -> None:
    folder = metier.fleet.store.folder(Reference.parse(workshop.BASE))
    facts = json.loads((folder / "tokenizer.json").read_bytes())
    browsing._check_tokenizer(folder / "tokenizer.json", "tiny")
    facts[key] = value
    (tmp_path / "tokenizer.json").write_text(json.dumps(facts))
    with pytest.raises(InputError) as caught:
        browsing._check_tokenizer(tmp_path / "tokenizer.json", "tiny")
    assert caught.value.code == "not_for_browsers"


def test_ranges_are_gaps_and_lengths() -> None:
    assert browsing._gaps([]) == []
    assert browsing._gaps([0, 1, 2, 5, 9, 10]) == [0, 3, 2, 1, 3, 2]


def test_the_alphabet_is_that_of_this_python() -> None:
    told = alphabet()
    words, at = set(), 0
    for gap, length in zip(told["words"][::2], told["words"][1::2], strict=True):
        words |= set(range(at + gap, at + gap + length))
        at += gap + length
    assert words == {unit for unit in range(1 << 16) if chr(unit).isalnum() or unit == ord("_")}
    unknown = [point for point in range(0x110000) if unicodedata.category(chr(point)) == "Cn"]
    assert told["unknown"] == browsing._gaps(unknown)
    assert len(json.dumps(told)) < 20_000
