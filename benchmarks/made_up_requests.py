"""Does any request that can be made up from our OpenAPI document end in a defect, or hang?

schemathesis asks a real ``metier up`` over tiny models, for minutes, good requests and bad ones.
To reach: no 500, no request without an answer, no traceback in the log. Needs the clients
(``scripts/setup clients``).

    python benchmarks/made_up_requests.py --seconds 600 --out OUT.json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from record import write

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import served
from clients.requesting import request_all


def main() -> int:
    """Run it and write the figures; 1 if they were not reached."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        served.stock(folder / "home", folder / "models")
        with served.served(folder / "home", "--log-requests") as running:
            said = request_all(running, folder, asked.seconds, asked.seed)
            log = running.log.read_text("utf-8", "replace")
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    results = {
        "requests": len(lines),
        "statuses": dict(Counter(line["status"] for line in lines)),
        "slowest_ms": max((line["ms"] for line in lines), default=0),
        "defects_in_log": log.count("Traceback"),
        "reached": not said and "Traceback" not in log,
    }
    print(said or json.dumps(results, indent=1))
    if asked.out:
        write(asked.out, results, seed=asked.seed)
    return 0 if results["reached"] else 1


if __name__ == "__main__":
    sys.exit(main())
