"""Do adapters that alternate answer as with PEFT? 200 random sequences, four clients at once.

One worker holds a base in f16 and three adapters. Four threads ask it for the next token after
random texts, each text with a drawn adapter or none; texts share beginnings and come back with
another adapter, so that a cache that forgets adapters is found out. The 20 most likely tokens and
the rest as one are compared with PEFT's distribution (float32 over the same f16 weights). To
reach: no distribution further than 0.02 nats (Kullback-Leibler); the largest difference of a single
log-probability is told, too.

    python benchmarks/adapter_agreement.py --reference FILE     # with torch, transformers, peft
    python benchmarks/adapter_agreement.py --compare FILE

Without either both are done in one go.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import numpy as np
from record import write

from conversion_cases import changed
from metier.conversion.gguf import convert_adapter, convert_folder
from metier.engines.llamacpp import open_worker
from metier.formats.gguf import read_gguf
from metier.generating import (
    AdapterWeights,
    Loading,
    Options,
    Question,
    Residence,
    TokenChance,
    Voice,
    Weights,
)
from tiny_source import (
    Shape,
    adapter_weights,
    config_of,
    save_tensors,
    tiny_folder,
    tiny_peft,
    tokenizer,
    weights,
)

SHAPE = Shape(width=256, layers=4, heads=8, groups=2, head=32, inner=768)
RANK = 8
GAIN = 0.4
"""Of the adapters: enough to move distributions by about a nat, not so much that every rounding
is magnified; weights of random signs have no room for both."""
REACH_NATS = 0.02
SEQUENCES = 200
CLIENTS = 4
ADAPTERS = (1, 2, 3)
TEXT = "the weather in a city reading writing function return answer fox lazy one two value"
WORDS = tuple(TEXT.split())
OPTIONS = Options(temperature=0.0, num_predict=1)


def sources(folder: Path) -> tuple[Path, list[Path]]:
    """The base and the adapters, all numbers rounded to f16 first, so that both sides have them."""
    base = tiny_folder(folder / "base")
    changed(base, "config.json", {**config_of(SHAPE), "torch_dtype": "float16"})
    save_tensors(base / "model.safetensors", weights(SHAPE, 21), "F16")
    adapters = []
    for seed in ADAPTERS:
        adapters.append(tiny_peft(folder / f"adapter-{seed}"))
        changed(adapters[-1], "adapter_config.json", {"r": RANK, "lora_alpha": 2 * RANK})
        tensors = {}
        for layer, factors in adapter_weights(SHAPE, seed, RANK, GAIN).items():
            for letter, factor in zip("AB", factors, strict=True):
                tensors[f"base_model.model.{layer}.lora_{letter}.weight"] = factor
        save_tensors(adapters[-1] / "adapter_model.safetensors", tensors, "F16")
    return base, adapters


def questions(seed: int) -> list[tuple[str, int]]:
    """Texts and the adapter of each (0 for none): beginnings are shared, adapters change."""
    draw = random.Random(seed)
    asked: list[tuple[str, int]] = []
    while len(asked) < SEQUENCES:
        start = " ".join(draw.choices(WORDS, k=draw.randint(4, 40)))
        for _ in range(draw.randint(1, 4)):
            text = start + "".join(f" {word}" for word in draw.choices(WORDS, k=draw.randint(0, 6)))
            for adapter in draw.sample(range(len(ADAPTERS) + 1), draw.randint(1, 3)):
                asked.append((text, adapter))
    asked = asked[:SEQUENCES]
    # Neighbours in time share beginnings most often, but not always.
    for _ in range(SEQUENCES // 4):
        first, second = draw.randrange(SEQUENCES), draw.randrange(SEQUENCES)
        asked[first], asked[second] = asked[second], asked[first]
    return asked


def reference(target: Path, seed: int) -> None:
    """Write PEFT's log-probabilities for every question."""
    import peft
    import torch
    import transformers

    with tempfile.TemporaryDirectory() as folder:
        base, adapters = sources(Path(folder))
        model: Any = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        model = peft.PeftModel.from_pretrained(model, adapters[0], adapter_name="1")
        for number, adapter in enumerate(adapters[1:], 2):
            model.load_adapter(adapter, adapter_name=str(number))
        model.eval()
        rows = []
        for text, adapter in questions(seed):
            row = torch.tensor([tokenizer("qwen2").encode(text).ids])
            with torch.no_grad():
                if adapter:
                    model.set_adapter(str(adapter))
                    logits = model(row).logits[0, -1]
                else:
                    with model.disable_adapter():
                        logits = model(row).logits[0, -1]
            found = torch.log_softmax(logits.double(), -1)
            rows.append([round(value, 6) for value in found.tolist()])
    target.write_text(json.dumps({"seed": seed, "log_probabilities": rows}), "utf-8")


def answers(seed: int) -> tuple[list[tuple[TokenChance, ...]], float]:
    """What Metier's worker says of the next token, for every question, and the seconds taken."""
    asked = questions(seed)
    found: list[tuple[TokenChance, ...]] = [()] * len(asked)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        base, adapters = sources(work)
        model = convert_folder(base, work / "base.gguf", dtype="f16").path
        header = read_gguf(model)
        files = [convert_adapter(path, header, path.with_suffix(".gguf")).path for path in adapters]
        digests = [f"sha256:{number}" for number in range(1, len(files) + 1)]
        residence = Residence(
            Weights("sha256:base", (model,)),
            tuple(
                AdapterWeights(digest, file) for digest, file in zip(digests, files, strict=True)
            ),
            loading=Loading(num_ctx=512, num_thread=1),
        )
        worker = open_worker(residence, parallel=CLIENTS)

        def client(first: int) -> None:
            for place in range(first, len(asked), CLIENTS):
                text, adapter = asked[place]
                voice = Voice({digests[adapter - 1]: 1.0} if adapter else {})
                question = Question(prompt=text, options=OPTIONS, logprobs=True, top_logprobs=20)
                found[place] = worker.ask(question, voice).chances[0].top

        threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - began
        worker.close()
    return found, seconds


def by_bytes() -> dict[bytes, int]:
    """The token of each text."""
    known = tokenizer("qwen2")
    decoding = {character: byte for byte, character in _bytes_as_text().items()}
    tokens = {}
    for text, number in known.get_vocab().items():
        if all(character in decoding for character in text):
            tokens[bytes(decoding[character] for character in text)] = number
    return tokens


def _bytes_as_text() -> dict[int, str]:
    seen = {byte: chr(byte) for byte in (*range(33, 127), *range(161, 173), *range(174, 256))}
    others = (byte for byte in range(256) if byte not in seen)
    return seen | {byte: chr(256 + place) for place, byte in enumerate(others)}


def compare(chances: tuple[TokenChance, ...], wanted: list[float]) -> tuple[float, float]:
    """Divergence in nats over the likeliest tokens and the rest, and the largest difference."""
    tokens = by_bytes()
    expected = np.array(wanted)
    places = [tokens[chance.raw] for chance in chances if chance.raw in tokens]
    ours = np.array([chance.logprob for chance in chances if chance.raw in tokens])
    theirs = expected[places]
    rest_ours = max(1e-12, 1 - np.exp(ours).sum())
    rest_theirs = max(1e-12, 1 - np.exp(theirs).sum())
    nats = float((np.exp(theirs) * (theirs - ours)).sum())
    nats += rest_theirs * float(np.log(rest_theirs / rest_ours))
    likely = theirs > np.log(1e-4)
    return float(nats), float(np.abs(theirs - ours)[likely].max())


def main() -> int:
    """Do what the arguments say; 1 if a distribution is further than the bar."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", type=Path, help="write PEFT's side here and stop")
    parser.add_argument("--compare", type=Path, help="PEFT's side, written before")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--out", type=Path, default=Path("benchmarks/results/adapter_agreement.json")
    )
    arguments = parser.parse_args()
    if arguments.reference:
        reference(arguments.reference, arguments.seed)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        known = arguments.compare or Path(folder) / "reference.json"
        if not arguments.compare:
            reference(known, arguments.seed)
        kept = json.loads(known.read_text("utf-8"))
    found, seconds = answers(kept["seed"])
    rows = [
        compare(chances, wanted)
        for chances, wanted in zip(found, kept["log_probabilities"], strict=True)
    ]
    apart = _effect(kept)
    results = {
        "sequences": len(rows),
        "clients": CLIENTS,
        "seconds": seconds,
        "largest_nats": max(nats for nats, _ in rows),
        "median_nats": statistics.median(nats for nats, _ in rows),
        "largest_difference": max(largest for _, largest in rows),
        "within": sum(nats <= REACH_NATS for nats, _ in rows),
        "adapters_apart_nats": apart,
    }
    print(json.dumps(results, indent=1))
    write(arguments.out, results, seed=kept["seed"])
    return int(results["within"] < len(rows))


def _effect(kept: dict[str, Any]) -> float:
    """Median divergence between answers to one text by two adapters: what a mix-up would show."""
    asked = questions(kept["seed"])
    by_text: dict[str, list[np.ndarray[Any, Any]]] = {}
    for (text, _), row in zip(asked, kept["log_probabilities"], strict=True):
        by_text.setdefault(text, []).append(np.array(row))
    apart = [
        float((np.exp(rows[0]) * (rows[0] - rows[1])).sum())
        for rows in by_text.values()
        if len(rows) > 1
    ]
    return statistics.median(apart)


if __name__ == "__main__":
    raise SystemExit(main())
