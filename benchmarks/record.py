"""Writes a benchmark's figures with what it takes to believe them.

Every benchmark ends in ``write(path, results, seed=…)``: the machine, the commit, the command,
the date and the versions stand beside the figures.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("numpy", "scipy", "statsmodels", "scikit-learn", "onnxruntime", "tokenizers")


def write(path: Path, results: Mapping[str, Any], *, seed: int | None = None) -> None:
    """Write ``results`` as JSON with machine, commit, command, date, versions and seed.

    Args:
        path: Where to; its folder is made.
        results: JSON-serialisable figures.
        seed: What the random draws were seeded with, ``None`` if nothing was drawn.
    """
    document = {
        "command": " ".join(["python", *_command()]),
        "seed": seed,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _COMMIT,
        "machine": machine(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "results": results,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")


def machine() -> dict[str, Any]:
    """Processor, cores, system and Python."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def commit() -> str | None:
    """The commit that is checked out, ``+changes`` added if tracked files differ from it."""
    here = Path(__file__).resolve().parent
    try:
        found = _git(here, "rev-parse", "HEAD")
        changed = _git(here, "status", "--porcelain", "--untracked-files=no")
        return f"{found}+changes" if changed else found
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def _command() -> list[str]:
    script = Path(sys.argv[0])
    root = Path(__file__).resolve().parent.parent
    inside = script.resolve().is_relative_to(root)
    name = str(script.resolve().relative_to(root)) if inside else script.name
    return [name, *sys.argv[1:]]


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        return platform.processor() or platform.machine()
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


_COMMIT = commit()
"""Taken when the benchmark starts: what runs is what was checked out then."""
