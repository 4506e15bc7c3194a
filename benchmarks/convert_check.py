"""Does a converted model answer as transformers and PEFT do? Log-probabilities side by side.

Each case of ``tests/conversion_cases.py`` (families, biases, tied embeddings, shards, bfloat16,
rope scalings; adapters with rsLoRA and patterns) is made, loaded with transformers and PEFT (torch,
CPU, float32) and converted by Metier to f32, f16 and q8_0, which xllamacpp loads. The whole
distribution after a short and a long row of tokens is compared. Needs torch, transformers and
peft, which Metier itself does not.

    python benchmarks/convert_check.py --out benchmarks/results/convert_check.json
    python benchmarks/convert_check.py --fixture     # writes tests/fixtures/conversion.json anew
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import numpy as np
import peft
import torch
import transformers
from record import write

from conversion_cases import ADAPTERS, FIXTURE, FOLDERS, prompts
from listening import distributions
from metier.conversion.gguf import DType, convert_adapter, convert_folder
from metier.formats.gguf import read_gguf
from tiny_source import tiny_folder

DTYPES: tuple[DType, ...] = ("f32", "f16", "q8_0")
BAR = 1e-3
"""Largest difference of a log-probability that f32 may have."""


def theirs(folder: Path, adapter: Path | None = None) -> list[list[float]]:
    """Log-probabilities after each row of tokens by transformers, with an adapter by PEFT."""
    model: Any = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    )
    if adapter is not None:
        model = peft.PeftModel.from_pretrained(model, adapter)
    model.eval()
    with torch.no_grad():
        logits = [model(torch.tensor([row])).logits[0, -1] for row in prompts()]
    return [torch.log_softmax(row.double(), -1).tolist() for row in logits]


def difference(ours: list[dict[int, float]], reference: list[list[float]]) -> dict[str, float]:
    """Largest difference among tokens of at least a millionth, and the divergence in nats."""
    largest, nats = 0.0, 0.0
    for found, expected in zip(ours, reference, strict=True):
        values = np.array([found[token] for token in range(len(expected))])
        wanted = np.array(expected)
        likely = wanted > np.log(1e-6)
        largest = max(largest, float(np.abs(values - wanted)[likely].max()))
        nats = max(nats, float((np.exp(wanted) * (wanted - values)).sum()))
    return {"largest": largest, "nats": nats}


def measure(work: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What each case gives, and what the fixture keeps."""
    results: dict[str, Any] = {}
    kept: dict[str, Any] = {"folders": {}, "adapters": {}}
    for name, make in FOLDERS.items():
        folder = make(work / name)
        reference = theirs(folder)
        kept["folders"][name] = reference
        results[name] = {}
        for dtype in DTYPES:
            target = convert_folder(folder, work / f"{name}-{dtype}.gguf", dtype=dtype).path
            results[name][dtype] = difference(distributions(target, prompts()), reference)
        print(name, results[name])
    for name, (architecture, make) in ADAPTERS.items():
        base = tiny_folder(work / f"base {architecture}", architecture=architecture)
        folder = make(work / f"adapter {name}")
        reference = theirs(base, folder)
        kept["adapters"][name] = reference
        model = convert_folder(base, work / f"{name}-base.gguf", dtype="f32").path
        made = convert_adapter(folder, read_gguf(model), work / f"{name}.gguf", dtype="f32").path
        found = difference(distributions(model, prompts(), [made], [1.0]), reference)
        results[f"adapter: {name}"] = {"f32": found}
        print("adapter", name, found)
    return results, kept


def main() -> int:
    """Compare, print, write; 1 if an f32 conversion is off by more than the bar."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/convert_check.json"))
    parser.add_argument("--fixture", action="store_true", help="write the fixture of the tests")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results, kept = measure(Path(folder))
    packages = ("torch", "transformers", "peft", "xllamacpp", "gguf")
    versions = {name: importlib.metadata.version(name) for name in packages}
    worst = max(found["f32"]["largest"] for found in results.values())
    print(f"f32: largest difference of a log-probability {worst:.2e}")
    if arguments.fixture:
        rounded = {
            part: {
                name: [[round(value, 5) for value in row] for row in rows]
                for name, rows in cases.items()
            }
            for part, cases in kept.items()
        }
        FIXTURE.write_text(json.dumps({"versions": versions, **rounded}) + "\n", "utf-8")
    write(arguments.out, {"versions": versions, "worst_f32": worst, "cases": results}, seed=0)
    return int(worst > BAR)


if __name__ == "__main__":
    raise SystemExit(main())
