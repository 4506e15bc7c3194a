"""Two real moves of documents: what is asked, what both packs find, and what reuse saves.

Needs the mirror (docs/kit, docs/kit@2, docs/svelte, docs/svelte@4). The pack is svelte-docs; one of
its sources moves: kit@2 to kit@3, svelte@4 to svelte@5. Questions are made by ``metier.hop`` and
sealed before either pack is asked; nothing is fitted. The new pack is built twice, once with the
vectors of the old one's unchanged passages.

    python benchmarks/moved_documents.py --mirror DIR --base FOLDER
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from record import write

from metier.assembly.movingdocs import Remembering, versions
from metier.datasets.documents import documents_of
from metier.engines.encoder import OnnxEncoder
from metier.hop.documents import MARGIN, TOP, Sealed, rank, sealed
from metier.recipe import DocumentPart, SearchRecipe
from metier.retrieval import Pack, PackSource, build_pack, open_pack
from metier.retrieval.vectors import read_vectors, windows
from metier.stats import paired_difference

HERE = Path(__file__).parent
RECIPES = HERE.parent / "src" / "metier" / "recipes"
MOVES = (("kit@2", "kit@3"), ("svelte@4", "svelte@5"))


@dataclass(frozen=True)
class Built:
    """A pack with what it took."""

    parts: Mapping[str, bytes]
    pack: Pack
    cpu_s: float


def main() -> int:
    """Measure, print, write; 1 if a move that is real is not promoted by its figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--base", type=Path, required=True, help="folder of the MiniLM base")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "moved_documents.json")
    arguments = parser.parse_args()
    encoder = OnnxEncoder(arguments.base, "int8", threads=1)
    results = {f"{old} to {new}": moved(old, new, arguments.mirror, encoder) for old, new in MOVES}
    for name, found in results.items():
        print(name, json.dumps(found, indent=1))
    write(arguments.out, results)
    return 0 if all(found["promoted"] for found in results.values()) else 1


def moved(old: str, new: str, mirror: Path, encoder: OnnxEncoder) -> dict[str, Any]:
    """One move."""
    before = built(sources(old, mirror), encoder)
    plain = built(sources(new, mirror), encoder)
    remembering = Remembering(encoder, known(before))
    after = built(sources(new, mirror), remembering)
    reused, encoded = remembering.reused, remembering.encoded
    questions = sealed(before.pack.chunks, after.pack.chunks)
    groups = {group: told(questions, group, before, after) for group in ("kept", "changed")}
    verdicts = {group: found["verdict"] for group, found in groups.items()}
    return {
        **groups,
        "sealed": questions.fingerprint,
        "gone": questions.gone,
        "passages": [len(before.pack.chunks), len(after.pack.chunks)],
        "unchanged passages": questions.unchanged,
        "vectors reused": [reused, reused + encoded],
        "same bytes with reuse": after.parts == plain.parts,
        "build cpu_s, without and with": [plain.cpu_s, after.cpu_s],
        "promoted": verdicts["changed"] == "WIN"
        and verdicts["kept"] in ("WIN", "TIE", "NOT WORSE"),
    }


def sources(version: str, mirror: Path) -> list[PackSource]:
    """The sources of svelte-docs, one of them in another version."""
    text = (RECIPES / "svelte-docs.toml").read_text("utf-8")
    recipe = SearchRecipe.from_toml(text, where="svelte-docs")
    part = versions()[version]
    family = version.partition("@")[0]
    parts: list[DocumentPart] = [
        part if one.version.partition("@")[0] == family else one for one in recipe.data
    ]
    found = []
    with tempfile.TemporaryDirectory() as cache:
        for one in parts:
            got = documents_of(one, folder=RECIPES, mirror=mirror, cache=Path(cache))
            found.append(PackSource(got.files, got.source, one.version, one.address, one.dialect))
    return found


def built(found: Sequence[PackSource], encoder: Any) -> Built:
    """A pack of some sources."""
    began = time.process_time()
    parts = build_pack(found, encoder=encoder)
    spent = round(time.process_time() - began, 2)
    pack = open_pack(parts.__getitem__, encoder=encoder, name="docs", digest="sha256:" + "0" * 64)
    return Built(parts, pack, spent)


def known(pack: Built) -> dict[str, Any]:
    """The texts that a pack has vectors of."""
    chunks = pack.pack.chunks
    texts = [text for chunk in chunks for text in windows(chunk.trail, chunk.text)]
    facts = json.loads(pack.parts["pack.json"])
    vectors = read_vectors(
        pack.parts.__getitem__, count=len(chunks), dimension=facts["encoder"]["dimension"]
    )
    return dict(zip(texts, vectors.matrix, strict=True))


def told(questions: Sealed, group: str, before: Built, after: Built) -> dict[str, Any]:
    """What both packs find of one group."""
    asked = [one for one in questions.questions if one.group == group]
    places = {}
    for name, one in (("new", after), ("old", before)):
        places[name] = [
            rank(question, [found.text for found in one.pack.search(question.text, top=TOP)])
            for question in asked
        ]
    hits = {name: [float(place is not None) for place in ranks] for name, ranks in places.items()}
    margin = MARGIN if group == "kept" else 0.01
    clusters = [question.cluster for question in asked]
    found = paired_difference(hits["new"], hits["old"], clusters, margin=margin)
    return {
        "questions": len(asked),
        "documents": found.clusters,
        "found": {name: round(statistics.mean(values), 3) for name, values in hits.items()},
        "reciprocal rank": {
            name: round(statistics.mean(1 / place if place else 0.0 for place in ranks), 3)
            for name, ranks in places.items()
        },
        "points": round(100 * found.difference, 1),
        "interval": [round(100 * found.interval.low, 1), round(100 * found.interval.high, 1)],
        "discordant": found.discordant,
        "verdict": str(found.verdict),
    }


if __name__ == "__main__":
    raise SystemExit(main())
