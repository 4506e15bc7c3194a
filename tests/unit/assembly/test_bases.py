"""Bases by what people type, and those to get: measured first, then here, then the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from metier.assembly import Metier
from metier.assembly.bases import Bases
from metier.card import ChatCard
from metier.errors import InputError, NotFoundError
from metier.examine.standings import Standing
from metier.settings import Settings

DIGEST = "sha256:" + "ab" * 32
SERVICES = (
    '[one]\nurl = "http://127.0.0.1:1/v1"\nmodel = "m1"\n'
    '[two]\nurl = "http://127.0.0.1:2/v1"\nmodel = "m2"\n'
)


def card() -> ChatCard:
    return ChatCard(
        name="helper",
        version="1",
        evals=("python",),
        bases=(("m2", "not measured"), ("m3", "not measured here; 8 of 10 elsewhere")),
        recipe_id=DIGEST,
        build_id=DIGEST,
        system=DIGEST,
        made="2026-11-23",
    )


def standing(base: str, score: float, *, recorded: bool = False) -> Standing:
    return Standing(
        base=base, parts=("docs",), eval="python", fingerprint=DIGEST, score=score,
        low=score - 0.1, high=score + 0.1, n=60, clusters=9, group=1, alone=0.4, verdict="WIN",
        recorded=recorded, cost_class="remote, free", date="2026-11-23", table=DIGEST, command="x",
    )  # fmt: skip


def bases_in(home: Path, **settings: Any) -> Bases:
    metier = Metier.open(Settings(home=home, **settings))
    return Bases(metier.settings, lambda: None, lambda: metier.models)


@pytest.fixture
def bases(tmp_path: Path) -> Bases:
    (tmp_path / "services.toml").write_text(SERVICES)
    return bases_in(tmp_path)


def test_a_service_is_opened_once_by_its_name(bases: Bases) -> None:
    first = bases.generator("remote:one")
    assert first.name == "remote:one"
    assert first.servable
    assert bases.generator("remote:one") is first
    bases.close()


@pytest.mark.parametrize(
    ("ref", "code", "told"),
    [
        ("replay:x.jsonl", "not_servable", "recorded"),
        ("one", "bad_base", "remote:one"),
        ("remot:one", "bad_base", "remote:one"),
        ("gguf:model", "bad_base", "services.toml"),
        ("remote:three", "no_service", "one, two"),
        ("remote:general", "no_service", "METIER_GENERAL_URL"),
    ],
)
def test_what_is_no_base_is_refused_with_what_to_write(
    bases: Bases, ref: str, code: str, told: str
) -> None:
    with pytest.raises((InputError, NotFoundError)) as caught:
        bases.generator(ref)
    assert caught.value.code == code
    assert told in f"{caught.value.message} {caught.value.remedy}"


def test_best_evidence_first_then_here_then_to_get(bases: Bases) -> None:
    found = bases.choices(card(), [standing("remote:two", 0.8), standing("remote:gone", 0.9)])
    assert [(choice.ref, choice.here) for choice in found] == [
        ("remote:two", True),
        ("remote:one", True),
        ("m3", False),
    ]
    best, unmeasured, _ = found
    assert best.on == "python"
    assert best.score is not None
    assert unmeasured.note == "not measured"
    assert unmeasured.command == "metier eval helper --on python --base remote:one"


def test_recorded_answers_are_no_evidence(bases: Bases) -> None:
    found = bases.choices(card(), [standing("remote:two", 0.9, recorded=True)])
    assert all(choice.standing is None for choice in found)


def test_without_services_the_alternatives_stand_alone(tmp_path: Path) -> None:
    bases = bases_in(tmp_path)
    assert [choice.ref for choice in bases.choices(card(), [])] == ["m2", "m3"]
    assert bases.services() == {}
