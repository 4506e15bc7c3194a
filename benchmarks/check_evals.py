"""How long does the self-test of the executed evals take, and are they sound?

Every reference and every mutant is executed on every toolchain that its task names, with nothing
known from before. To reach: ``svelte`` and ``react`` together within six minutes on two cores.
``python`` (HumanEval and the test split of MBPP, references only) needs its rows: a mirror, or the
network.

    python benchmarks/check_evals.py [--evals svelte react python] [--mirror DIR] --out FILE
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from record import write


def cpu_seconds() -> float:
    """Of this process and of those that it waited for; most sandboxed ones are not among them."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def checked(metier: Any, name: str) -> dict[str, Any]:
    """One eval, from nothing."""

    def tell(progress: Any) -> None:
        left = f", {progress.seconds_left:.0f} s left" if progress.seconds_left else ""
        print(f"\r{progress.message}{left}      ", end="", file=sys.stderr, flush=True)

    started, used = time.monotonic(), cpu_seconds()
    found = metier.check_eval(name, fresh=True, report=tell)
    print(file=sys.stderr)
    return {
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(cpu_seconds() - used, 1),
        "tasks": found["tasks"],
        "clusters": len(found["by_cluster"]),
        "judged": found["judged"],
        "judge_ms": round(found["judge_ms"] or 0.0, 1),
        "sound": found["sound"],
        "frozen": [f"{one['task']}: {one['found'][:160]}" for one in found["frozen"]],
        "survivors": [f"{one['task']}: {one['why'][:160]}" for one in found["survivors"]],
        "unjudged": [f"{one['task']}: {one['why'][:160]}" for one in found["unjudged"]],
        "alike": [f"{one['first']}, {one['second']}" for one in found["alike"][:20]],
        "alike_pairs": len(found["alike"]),
        "warnings": list(found["warnings"]),
    }


def main() -> None:
    """Check the evals one after the other and write what came of them."""
    from metier.assembly import Metier
    from metier.settings import Settings

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evals", nargs="+", default=["svelte", "react"])
    parser.add_argument("--mirror", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        settings = replace(Settings.read(), home=Path(home))
        settings = replace(settings, toolchains_folder=Settings.read().toolchains)
        if chosen.mirror:
            settings = replace(settings, mirror=chosen.mirror)
        metier = Metier.open(settings)
        try:
            results = {name: checked(metier, name) for name in chosen.evals}
        finally:
            metier.close()
    ours = [results[name]["seconds"] for name in ("svelte", "react") if name in results]
    write(chosen.out, {**results, "svelte_and_react_seconds": round(sum(ours), 1)})


if __name__ == "__main__":
    main()
