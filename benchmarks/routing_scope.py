"""What fleets of other domains let in: short requests of people instead of exam questions.

Used by ``routing.py``. Fleets of one to four domains are fitted on the training rows of banking77,
clinc150, snips, mbpp and gsm8k; asked are their unseen rows (how many are routed to their own
domain), rows of every other domain and clinc150's out-of-scope rows (how many are routed at all).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from metier.router import request_of_text
from metier.router.learning import fit_domains

FLEETS = (
    ("banking77",),
    ("mbpp",),
    ("clinc travel",),
    ("banking77", "mbpp"),
    ("banking77", "clinc travel", "clinc home", "gsm8k"),
)
ASKED = 400
NEAR = {"banking77": ("clinc banking", "clinc credit_cards")}
"""Domains that are nearly the same: counted apart, neither right nor wrong."""


def scope(mirror: Path) -> list[dict[str, Any]]:
    """A row for each fleet."""
    domains = _domains(mirror)
    found = []
    for names in FLEETS:
        model = fit_domains({name: domains[name][0] for name in names})

        def routed(texts: list[str], model: Any = model) -> list[str]:
            asked = []
            for text in texts[:ASKED]:
                request = request_of_text(text)
                likeness = model.asked(text, language=request.language, code=request.code)
                asked.append(likeness.domain if likeness.sure else "")
            return asked

        own = [np.mean([one == name for one in routed(domains[name][1])]) for name in names]
        near = {other for name in names for other in NEAR.get(name, ())}
        others = {
            name: float(np.mean([bool(one) for one in routed(texts[1])]))
            for name, texts in domains.items()
            if name not in names
        }
        far = {name: share for name, share in others.items() if name not in near}
        worst = max(far, key=lambda name: far[name])
        found.append(
            {
                "fleet": names,
                "own routed right": round(float(np.mean(own)), 3),
                "others routed": round(float(np.mean(list(far.values()))), 3),
                "worst": [worst, round(far[worst], 3)],
                "out of scope routed": round(others["clinc oos"], 3),
                "near routed": {name: round(others[name], 3) for name in sorted(near)},
            }
        )
    return found


def _domains(mirror: Path) -> dict[str, tuple[list[str], list[str]]]:
    """Training rows and unseen rows of each domain."""
    clinc = _rows(mirror / "text" / "clinc150.jsonl")
    found = {
        f"clinc {name}": _split(
            [row["text"] for row in clinc if row["domain"] == name and row["split"] == "train"],
            [row["text"] for row in clinc if row["domain"] == name and row["split"] == "test"],
        )
        for name in sorted({row["domain"] for row in clinc})
    }
    for name in ("banking77", "snips"):
        rows = _rows(mirror / "text" / f"{name}.jsonl")
        found[name] = _split(
            [row["text"] for row in rows if row["split"] == "train"],
            [row["text"] for row in rows if row["split"] == "test"],
        )
    mbpp = [row["text"] for row in _rows(mirror / "code" / "mbpp.jsonl")]
    found["mbpp"] = _split(mbpp[::2], mbpp[1::2])
    sums = [row.get("question") or row["text"] for row in _rows(mirror / "code/gsm8k_train.jsonl")]
    found["gsm8k"] = _split(sums[::2], sums[1::2])
    return found


def _split(train: list[str], unseen: list[str]) -> tuple[list[str], list[str]]:
    order = np.random.default_rng(0).permutation(len(unseen))
    return train, [unseen[place] for place in order]


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
