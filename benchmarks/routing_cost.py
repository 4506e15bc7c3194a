"""What a decision costs: milliseconds by length of the prompt, and memory.

Used by ``routing.py``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from metier.generating import Message, Question
from metier.router import Router, request_of
from metier.routing import Candidate

WORDS = (20, 120, 500, 2_000, 20_000)
ROUNDS = 400
_FITTING = """
import json, resource, sys, time
from pathlib import Path
from metier.router.learning import fit_domains
questions = json.loads(Path(sys.argv[1]).read_text())
begun = time.process_time()
fit_domains(questions)
used = time.process_time() - begun
print(used, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
_MEMORY = """
import sys
from pathlib import Path
import numpy, scipy.optimize, scipy.sparse, scipy.special, pydantic, metier.heads, metier.features
def resident():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
before = resident()
from metier.router import DomainModel, Router, request_of_text
from metier.routing import Candidate
router = Router(DomainModel.from_bytes(Path(sys.argv[1]).read_bytes()))
text = "how many words does a man know " * 80
candidates = (Candidate("general", "sha256:0", "generate", general=True),)
for number in range(1000):
    router.decide(request_of_text(f"{number} {text}"), candidates)
print(resident() - before)
"""


def latency(
    router: Router, candidates: tuple[Candidate, ...], texts: list[str]
) -> dict[str, dict[str, float]]:
    """Milliseconds of one decision on one thread, for prompts of different lengths."""
    words = " ".join(text for text in texts if text.isascii()).split()
    found = {}
    with threadpool_limits(limits=1):
        for number in WORDS:
            starts = np.linspace(0, max(0, len(words) - number), ROUNDS).astype(int).tolist()
            prompts = [" ".join((words + words)[start : start + number]) for start in starts]
            questions = [Question(messages=(Message("user", one),)) for one in prompts]
            requests = [request_of(one) for one in questions]
            found[f"{number} words"] = _timed(
                [lambda one=one: router.decide(one, candidates) for one in requests]
            ) | {
                f"with facts {name}": value
                for name, value in _timed(
                    [
                        lambda one=one: router.decide(request_of(one), candidates)
                        for one in questions
                    ]
                ).items()
            }
    return found


def _timed(calls: list[Callable[[], object]]) -> dict[str, float]:
    wall, processor = [], []
    for call in calls[:20]:
        call()
    for call in calls:
        begun, used = time.perf_counter(), time.process_time()
        call()
        processor.append(time.process_time() - used)
        wall.append(time.perf_counter() - begun)
    return {
        "p50": _ms(np.quantile(wall, 0.5)),
        "p99": _ms(np.quantile(wall, 0.99)),
        "processor p50": _ms(np.quantile(processor, 0.5)),
    }


def _ms(seconds: Any) -> float:
    return round(1e3 * float(seconds), 3)


def fitting(questions: dict[str, list[str]]) -> dict[str, float]:
    """Processor seconds of one fit, and the most memory of a process that does nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "questions.json"
        path.write_text(json.dumps(questions), "utf-8")
        seconds, most = _run(_FITTING, path).split()
    return {"processor seconds": round(float(seconds), 1), "most MB": round(float(most))}


def _run(program: str, path: Path) -> str:
    told = subprocess.run(
        [sys.executable, "-c", program, str(path)], check=True, capture_output=True, text=True
    )
    return told.stdout


def memory(router: Router) -> dict[str, float]:
    """MB that a process with numpy and scipy takes more for the router, and the model's bytes."""
    assert router.model is not None  # a fleet's router has one
    data = router.model.to_bytes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        path.write_bytes(data)
        told = _run(_MEMORY, path)
    return {"more MB": round(float(told), 1), "model MB": round(len(data) / 1e6, 2)}
