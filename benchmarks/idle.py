"""What does a server without a model in memory cost: memory, processor, packets?

Starts ``metier up`` over an empty home (the starters come in), asks it once so that nothing lazy is
left out, lets it rest, and reads the kernel's counters: memory of its processes (resident and
proportional), processor seconds over the pause, packets. Packets are counted in a network of its
own (``unshare --net``) where that is allowed, else on the loopback of this machine, which others
use too. To reach: 120 MB resident, 1 % of a processor, no packet.

    python benchmarks/idle.py --seconds 60 --out benchmarks/results/idle.json
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from record import write

REACH_MB, REACH_CPU = 120.0, 0.01
SOURCE = Path(__file__).resolve().parent.parent / "src"
PATHS = ("/health", "/v1/models", "/api/tags", "/api/version", "/metrics", "/")
INSIDE = "--inside"


def memory(process: int) -> dict[str, float]:
    """Resident and proportional megabytes of a process."""
    found = dict.fromkeys(("Rss", "Pss"), 0.0)
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in found:
            found[name] = int(rest.split()[0]) / 1024
    return {f"{name.lower()}_mb": round(value, 1) for name, value in found.items()}


def family(process: int) -> list[int]:
    """A process and everything below it."""
    found = [process]
    for thread in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, thread.read_text().split()):
            found += family(child)
    return found


def processor(processes: list[int]) -> float:
    """Seconds of processor that processes have used."""
    ticks = 0
    for process in processes:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def packets(process: int) -> int:
    """Packets sent and received in the network of a process, the loopback included."""
    total = 0
    for line in Path(f"/proc/{process}/net/dev").read_text().splitlines()[2:]:
        fields = line.partition(":")[2].split()
        total += int(fields[1]) + int(fields[9])
    return total


def measured(seconds: float, port: int) -> dict[str, Any]:
    """The figures of one server at rest."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "METIER_HOME": home}
        paths = [str(SOURCE), os.environ.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        command = [sys.executable, "-m", "metier", "up", "--port", str(port)]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as server:
            try:
                fresh = _wait(f"http://127.0.0.1:{port}", server)
                return {"fresh": fresh, **_rested(server.pid, port, seconds)}
            finally:
                server.terminate()


def _wait(address: str, server: subprocess.Popen[bytes]) -> dict[str, float]:
    for _ in range(600):
        try:
            httpx.get(f"{address}/health", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return memory(server.pid)
    raise SystemExit("the server did not start")


def _rested(process: int, port: int, seconds: float) -> dict[str, Any]:
    for path in PATHS:
        httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False)
    time.sleep(3)
    processes = family(process)
    used, sent = processor(processes), packets(process)
    time.sleep(seconds)
    share = (processor(processes) - used) / seconds
    found = [memory(one) for one in processes]
    return {
        "processes": len(processes),
        "rss_mb": round(sum(one["rss_mb"] for one in found), 1),
        "pss_mb": round(sum(one["pss_mb"] for one in found), 1),
        "processor_share": round(share, 5),
        "packets": packets(process) - sent,
        "seconds": seconds,
    }


def in_own_network(arguments: list[str]) -> int | None:
    """Run this again in a network of its own; ``None`` if that is not allowed here."""
    inner = f'ip link set lo up 2>/dev/null; exec "$0" "$@" {INSIDE}'
    probe = ["unshare", "--net", "--map-root-user", "true"]
    try:
        if subprocess.run(probe, capture_output=True).returncode != 0:
            return None
    except OSError:
        return None
    command = [*probe[:-1], "sh", "-c", inner, sys.executable, __file__, *arguments]
    return subprocess.run(command).returncode


def main() -> int:
    """Run it and write the figures; 1 if they were not reached."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--port", type=int, default=18434)
    parser.add_argument("--out", type=Path)
    parser.add_argument(INSIDE, action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if not asked.inside:
        code = in_own_network(sys.argv[1:])
        if code is not None:
            return code
    results = {"own_network": asked.inside, **measured(asked.seconds, asked.port)}
    results["reached"] = (
        results["rss_mb"] <= REACH_MB
        and results["processor_share"] <= REACH_CPU
        and (results["packets"] == 0 or not asked.inside)
    )
    print(json.dumps(results, indent=1))
    if asked.out:
        write(asked.out, results)
    return 0 if results["reached"] else 1


if __name__ == "__main__":
    sys.exit(main())
