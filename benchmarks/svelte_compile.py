"""How quickly does the warm worker check a Svelte component, and how long is the first one?

Needs the mirror of public data sets and the toolchain svelte@5. Each different recorded answer of a
seeded sample is checked once through the tool, as ``metier run --file`` does; the cold start is the
first check of a new tool, three times. To reach: 6 ms median, 1 s cold.

    python benchmarks/svelte_compile.py --mirror PATH --toolchains DIR --out FILE
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from record import write
from svelte_agreement import drawn

from metier.coding import SourceFile
from metier.sandbox import detect
from metier.toolchains import Toolchains
from metier.tools.svelte import open_tool
from metier.tools.workshop import Workshop


def main() -> int:
    """Check, print and write; 1 if a figure is not reached."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--toolchains", type=Path, required=True)
    parser.add_argument("--answers", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    sample = drawn(arguments.mirror, arguments.answers, random.Random(arguments.seed))
    different = sorted({item["answer"] for item in sample})
    with tempfile.TemporaryDirectory() as scratch:
        workshop = Workshop(Toolchains(arguments.toolchains), detect, Path(scratch))
        cold = [first_check(workshop, different[0]) for _ in range(3)]
        results = {"files": len(different), "cold_ms": [round(ms, 1) for ms in cold]}
        results |= warm(workshop, different)
    write(arguments.out, results, seed=arguments.seed)
    print(json.dumps(results, indent=1))
    return 0 if results["warm_ms_median"] <= 6 and statistics.median(cold) <= 1000 else 1


def first_check(workshop: Workshop, text: str) -> float:
    """Milliseconds of the first check of a new tool."""
    tool = open_tool(workshop)
    started = time.perf_counter()
    tool.check([SourceFile("Answer.svelte", text)])
    spent = (time.perf_counter() - started) * 1000
    tool.close()
    return spent


def warm(workshop: Workshop, texts: list[str]) -> dict[str, Any]:
    """Milliseconds of each check of a tool that has checked a hundred files before."""
    tool = open_tool(workshop)
    spent = []
    clean = 0
    for text in texts[:100]:
        tool.check([SourceFile("Answer.svelte", text)])
    for text in texts:
        started = time.perf_counter()
        clean += tool.check([SourceFile("Answer.svelte", text)]).ok
        spent.append((time.perf_counter() - started) * 1000)
    tool.close()
    return {
        "warm_ms_median": round(statistics.median(spent), 2),
        "warm_ms_p95": round(statistics.quantiles(spent, n=20)[-1], 2),
        "clean": clean,
    }


if __name__ == "__main__":
    sys.exit(main())
