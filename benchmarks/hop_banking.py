"""Does a hop from static embeddings to the encoder win, how long does it take, does rollback work?

banking77 with ten training rows per class and five seeds. For each seed a specialist is made that
may only use the base's static view; then one command, ``metier hop NAME --base REF``, makes it
again on the whole base, asks both the 3,080 sealed questions and promotes it or not. Answers of
the champion to 500 sealed questions are written down before the hop and compared, byte for byte,
with those of ``NAME@previous`` after it and of ``NAME`` after ``metier rollback``.

    python benchmarks/hop_banking.py --mirror DIR --home DIR --out FILE [--seeds 5] [--most 5]

``--home`` has the default encoder installed; it is copied, not changed. ``--most`` ends after so
many seeds; those that the file has already are not measured again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, median
from typing import Any

from record import write

BASE = "all-minilm-l6-v2"
MOST_ANSWERS = 500
"""Sealed questions whose answers are compared to the last digit."""
RECIPE = """
format = 1
[specialist]
name = "{name}"
[base]
ref = "{base}"
[[data]]
kind = "file"
path = "{rows}"
[split]
per_class = 10
[ladder]
rungs = ["majority", "static"]
seed = {seed}
"""


def run(home: Path, *words: str) -> tuple[int, dict[str, Any], float, float]:
    """One command of its own process: exit code, JSON, wall and processor seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "metier", *words, "--json"],
        env={**os.environ, "METIER_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.returncode, json.loads(done.stdout), wall, processor


def answers(home: Path, name: str, texts: list[str]) -> str:
    """Digest of everything that a specialist says to these texts, to the last digit."""
    from metier.assembly import Metier
    from metier.settings import Settings

    metier = Metier.open(Settings.read({"METIER_HOME": str(home), "HOME": str(home)}))
    said = metier.classify(name, texts, top=77)
    metier.close()
    return hashlib.sha256(repr(said).encode()).hexdigest()


def case(home: Path, rows: Path, seed: int, texts: list[str]) -> dict[str, Any]:
    """One seed: made, hopped, rolled back."""
    name = f"bank-{seed}"
    recipe = home / f"{name}.toml"
    recipe.write_text(RECIPE.format(name=name, base=BASE, rows=rows, seed=seed), "utf-8")
    run(home, "make", str(recipe))
    before = answers(home, name, texts)
    code, hopped, wall, processor = run(home, "hop", name, "--base", BASE)
    (challenger,) = hopped["challengers"]
    evidence = challenger["evidence"]
    during = answers(home, f"{name}@previous", texts)
    after_hop = answers(home, name, texts)
    back, rolled, back_wall, _ = run(home, "rollback", name)
    restored = answers(home, name, texts)
    forth, _, _, _ = run(home, "rollback", name)
    again = answers(home, name, texts)
    return {
        "seed": seed,
        "exit_codes": [code, back, forth],
        "verdict": evidence["difference"]["verdict"],
        "rung": challenger["what"],
        "score_before": evidence["rival_score"]["value"],
        "score_after": evidence["score"]["value"],
        "difference": evidence["difference"]["difference"],
        "interval": evidence["difference"]["interval"],
        "n": evidence["difference"]["n"],
        "ms_before": evidence["rival_cost"]["ms_per_text"],
        "ms_after": evidence["cost"]["ms_per_text"],
        "seconds": wall,
        "cpu_seconds": processor,
        "rollback_seconds": back_wall,
        "act": rolled["act"],
        "previous_answers_as_before": during == before,
        "rollback_byte_identical": restored == before,
        "second_rollback_brings_forth": again == after_hop and again != before,
    }


def known(out: Path) -> list[dict[str, Any]]:
    """The seeds that were measured before."""
    if not out.is_file():
        return []
    found: list[dict[str, Any]] = json.loads(out.read_text("utf-8"))["results"]["cases"]
    return found


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--most", type=int, default=5)
    options = parser.parse_args()
    rows = options.mirror.absolute() / "text" / "banking77.jsonl"
    lines = [json.loads(line) for line in rows.read_text("utf-8").splitlines()]
    texts = [line["text"] for line in lines if line["split"] == "test"][:MOST_ANSWERS]
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary) / "home"
        shutil.copytree(options.home, home)
        cases = known(options.out)
        there = {one["seed"] for one in cases}
        wanted = [seed for seed in range(options.seeds) if seed not in there][: options.most]
        cases += [case(home, rows, seed, texts) for seed in wanted]
        _, verified, _, _ = run(home, "verify")
    results = {
        "cases": cases,
        "wins": sum(one["verdict"] == "WIN" for one in cases),
        "score_before": mean(one["score_before"] for one in cases),
        "score_after": mean(one["score_after"] for one in cases),
        "difference": mean(one["difference"] for one in cases),
        "median_seconds": median(one["seconds"] for one in cases),
        "most_seconds": max(one["seconds"] for one in cases),
        "median_cpu_seconds": median(one["cpu_seconds"] for one in cases),
        "rollback_byte_identical": all(one["rollback_byte_identical"] for one in cases),
        "problems_after": len(verified["problems"]),
    }
    write(options.out, results, seed=0)
    print(json.dumps({key: value for key, value in results.items() if key != "cases"}, indent=1))


if __name__ == "__main__":
    main()
