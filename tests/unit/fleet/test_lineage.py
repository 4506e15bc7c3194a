"""The family of what is installed: what went in, what stood before, what was made from it."""

from __future__ import annotations

from typing import Any

from metier.card import AnyCard
from metier.fleet import Installed, Kin, lineage
from metier.localmodel import AdapterPart, LocalModelFile
from metier.manifest import CONFIG_TYPE, Descriptor, Manifest
from metier.reference import Digest, Reference
from stand_in.cards import banking


def installed(name: str, card: AnyCard | None = None, **more: Any) -> Installed:
    digest = Digest.of(name.encode())
    config = Descriptor(mediaType=CONFIG_TYPE, digest=str(digest), size=0)
    manifest = Manifest(config=config, layers=(), annotations={})
    kind = "specialist" if card else "base"
    return Installed(Reference.parse(name), kind, card, digest, digest, 0, "", manifest, **more)


def test_a_classifiers_data_recipe_and_base_flow_into_it() -> None:
    card = banking()
    assert card.base is not None
    subject, base = installed(card.name, card), installed(card.base.name)
    before = Kin("earlier", card.name, ("made", "2026-01-02"), "sha256:old", date="2026-01-02")
    family = lineage(subject, [subject, base], [before])
    assert [kin.role for kin in family] == ["data", "recipe", "base", "self", "earlier"]
    assert family[2].here == card.base.name
    assert family[4] is before
    (made,) = [kin for kin in lineage(base, [subject, base]) if kin.role == "made"]
    assert (made.name, made.facts, made.here) == (card.name, ("classify",), card.name)
    alone = lineage(subject, [subject])
    assert next(kin.here for kin in alone if kin.role == "base") == ""


def test_a_model_names_its_parent_its_source_and_its_children() -> None:
    weights = ("w.gguf",)
    source = "hf.co/team/tiny@abc"
    parent = installed("tiny", model=LocalModelFile(weights=weights, base="", source=source))
    adapter = LocalModelFile(
        weights=weights, base="", parent="tiny", adapters=(AdapterPart(file="a.gguf"),)
    )
    tuned = installed("tuned", model=adapter)
    other = installed("other", model=LocalModelFile(weights=weights, base="", parent="tiny"))
    everything = [parent, tuned, other]
    assert [(kin.role, kin.name) for kin in lineage(parent, everything)] == [
        ("data", source),
        ("self", "tiny"),
        ("made", "other"),
        ("made", "tuned"),
    ]
    facts = {kin.name: kin.facts for kin in lineage(parent, everything) if kin.role == "made"}
    assert facts == {"tuned": ("adapter",), "other": ("other settings",)}
    (base,) = [kin for kin in lineage(tuned, [tuned]) if kin.role == "base"]
    assert (base.here, base.facts) == ("", ("not here",))
