"""Does a page answer as the server does, and how fast, in Chromium on one core?

Heads are fitted on 20 rows a label of banking77, for a linear, a static and an encoder member (fp32
and int8) and for mixtures. Each specialist then answers the same official test texts twice: by this
process and, in its own page's worker, by Chromium; server and browser share one core. Told are
labels that differ, the largest difference of a score, and texts a second and a CPU second. To
reach: labels equal and scores within 1e-4 on 1,000 texts, and 20 texts/s for the encoder.

    metier doctor --install browser
    python benchmarks/browser_encoder.py --mirror DIR --out FILE
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright
from record import write

from metier.answer import base_digest
from metier.assembly import DEFAULT_BASE, Metier
from metier.engines.encoder import OnnxEncoder, read_base
from metier.engines.parts import SPECIALIST_FILE, Member, SpecialistFile, pack_hashed, pack_head
from metier.engines.static import StaticEncoder
from metier.features import FeatureSpec, hashed_counts
from metier.heads import LinearHead, fit_mixture, inverse_document_frequency, weigh
from metier.manifest import KIND, TASK
from metier.messages import Progress
from metier.reference import Reference
from metier.server import create_app
from metier.server.run import bind, server_for
from metier.settings import Settings
from metier.site import Site
from metier.training.fitting import fit_hinge, fit_logistic

SPEC = FeatureSpec(1 << 14, (1, 2), (2, 3, 4))
PER_LABEL, HELD_OUT = 20, 500
SPECIALISTS = {
    "linear": ("linear",),
    "static": ("static",),
    "encoder-fp32": ("fp32",),
    "encoder-int8": ("int8",),
    "both-fp32": ("linear", "fp32"),
    "both-int8": ("linear", "int8"),
}
# In the page: its own worker, asked one text after the other.
_OPEN = """async () => {
  const place = document.querySelector("[data-running]");
  const plan = await (await fetch(place.dataset.plan)).json();
  const policy = trustedTypes.createPolicy("metier-running", { createScriptURL: (text) => text });
  const worker = new Worker(policy.createScriptURL(place.dataset.worker), { type: "module" });
  const replied = () => new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => {
      if (data.told === "failed") reject(new Error(data.problem));
      else if (data.told !== "loading") resolve(data);
    };
  });
  const said = replied();
  const started = performance.now();
  worker.postMessage({ act: "open", plan });
  await said;
  Object.assign(window, { worker, replied });
  return performance.now() - started;
}"""
_ASK = """async ([texts, top]) => {
  const answers = [];
  const started = performance.now();
  for (const text of texts) {
    const said = replied();
    worker.postMessage({ act: "classify", id: 0, text, top });
    answers.push((await said).answer);
  }
  const spent = performance.now() - started;
  worker.terminate();
  return { spent, answers };
}"""


def main() -> int:
    """Measure, print, write; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mirror", type=Path, required=True, help="the data sets")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/browser_encoder.json"))
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--only", nargs="*", default=list(SPECIALISTS), choices=SPECIALISTS)
    parser.add_argument("--home", type=Path, help="keep the fitted specialists here")
    arguments = parser.parse_args()
    train, test = read_rows(arguments.mirror / "text" / "banking77.jsonl")
    texts = [row["text"] for row in test[: arguments.texts]]
    results: dict[str, Any] = {"load": round(os.getloadavg()[0], 2), "texts": len(texts)}
    # Whatever is started from here on, Chromium as well, runs on this one core.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        metier = open_home(arguments.home or Path(folder) / "home", train)
        with serving(metier) as address, in_chromium(address) as (page, version):
            results["browser"] = version
            for name in arguments.only:
                results[name] = measured(metier, page, name, texts)
                sys.stdout.write(f"{name:14} {json.dumps(results[name])}\n")
        metier.close()
    write(arguments.out, results, seed=0)
    exact = [name for name in arguments.only if "int8" not in name]
    same = all(results[name]["labels_differ"] == 0 for name in arguments.only)
    near = all(results[name]["score_difference_max"] <= 1e-4 for name in exact)
    fast = all(results[name]["browser_texts_per_second"] >= 20 for name in arguments.only)
    return 0 if same and near and fast else 1


def read_rows(path: Path) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Training and test rows of banking77, in the file's order."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return (
        [row for row in rows if row["split"] == "train"],
        [row for row in rows if row["split"] == "test"],
    )


def open_home(home: Path, train: Sequence[dict[str, str]]) -> Metier:
    """A home with the default encoder and the fitted specialists."""
    values = {"METIER_HOME": str(home), "METIER_THREADS": "1"}
    if found := os.environ.get("METIER_TOOLCHAINS"):
        values["METIER_TOOLCHAINS"] = found
    metier = Metier.open(Settings.read(values))
    here = {item.name for item in metier.list()}
    if DEFAULT_BASE not in here:
        metier.install_base(report=tell)
    if not here.issuperset(SPECIALISTS):
        fit(metier, train)
    return metier


def tell(progress: Progress) -> None:
    """One line for each step."""
    sys.stderr.write(f"{progress.message}\n")


def fit(metier: Metier, train: Sequence[dict[str, str]]) -> None:
    """Heads on some rows of each label, mixed and calibrated on other rows."""
    labels = sorted({row["label"] for row in train})
    taken: dict[str, int] = dict.fromkeys(labels, 0)
    chosen, others = [], []
    for row in train:
        (chosen if taken[row["label"]] < PER_LABEL else others).append(row)
        taken[row["label"]] += 1
    held = others[:HELD_OUT]
    number = {label: index for index, label in enumerate(labels)}
    classes = np.array([number[row["label"]] for row in chosen])
    truth = np.array([number[row["label"]] for row in held])
    texts = [[row["text"] for row in part] for part in (chosen, held)]
    heads: dict[str, tuple[LinearHead, bytes, Any]] = {}
    counts = [hashed_counts(part, SPEC) for part in texts]
    idf = inverse_document_frequency(counts[0])
    head = fit_hinge(weigh(counts[0], idf), classes, len(labels), 0)
    heads["linear"] = (head, pack_hashed(idf, head), head.logits(weigh(counts[1], idf)))
    folder = metier.fleet.store.folder(Reference.parse(DEFAULT_BASE))
    for view in ("static", "fp32", "int8"):
        encoder: Any = StaticEncoder(folder) if view == "static" else OnnxEncoder(folder, view)
        head = fit_logistic(encoder.encode(texts[0]), classes, len(labels), 0)
        heads[view] = (head, pack_head(head), head.logits(encoder.encode(texts[1])))
        sys.stderr.write(f"fitted {view}\n")
    base = read_base(folder)
    for name, kinds in SPECIALISTS.items():
        weights = fit_mixture([heads[kind][2] for kind in kinds], truth)
        members = tuple(map(member, kinds, weights))
        needs_base = kinds != ("linear",)
        file = SpecialistFile(
            labels=tuple(labels),
            members=members,
            abstain_below=0.4,
            energy_below=0.0,
            base=DEFAULT_BASE if needs_base else None,
            base_digest=base_digest(base) if needs_base else None,
        )
        parts: dict[str, Any] = {SPECIALIST_FILE: ("weight-config", file.to_bytes())}
        parts |= {f"{kind}.safetensors": ("weight", heads[kind][1]) for kind in kinds}
        metier.fleet.install(Reference.parse(name), parts, {KIND: "specialist", TASK: "classify"})


def member(kind: str, weight: float) -> Member:
    """What ``specialist.json`` says of a head."""
    file = f"{kind}.safetensors"
    if kind == "linear":
        return Member(
            kind="linear",
            file=file,
            weight=weight,
            buckets=SPEC.buckets,
            words=SPEC.words,
            characters=SPEC.characters,
        )
    if kind == "static":
        return Member(kind="static", file=file, weight=weight)
    return Member(
        kind="encoder", file=file, weight=weight, precision="int8" if kind == "int8" else "fp32"
    )


@contextmanager
def serving(metier: Metier) -> Iterator[str]:
    """A server in a thread."""
    ready = threading.Event()
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        server = server_for(create_app(metier, Site(), port=port), ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        ready.wait(30)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(20)


@contextmanager
def in_chromium(address: str) -> Iterator[tuple[Page, str]]:
    """A page of Chromium, and its version."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        context = browser.new_context(base_url=address)
        context.set_default_timeout(600_000)
        yield context.new_page(), browser.version
        browser.close()


def measured(metier: Metier, page: Page, name: str, texts: Sequence[str]) -> dict[str, Any]:
    """Both ways' answers to the same texts, compared."""
    top = len(metier.browsing.plan(name).document["labels"])
    metier.classify(name, [texts[0]])
    started, cpu = time.perf_counter(), time.process_time()
    wanted = [metier.classify(name, [text], top=top)[0] for text in texts]
    spent, cpu = time.perf_counter() - started, time.process_time() - cpu
    page.goto(f"/specialists/{name}/run")
    opened = page.evaluate(_OPEN)
    before = children_seconds()
    told = page.evaluate(_ASK, [list(texts), top])
    browser_cpu = children_seconds() - before
    apart = np.array(
        [
            max(abs(dict(here.scores)[s["label"]] - s["probability"]) for s in there["scores"])
            for here, there in zip(wanted, told["answers"], strict=True)
        ]
    )
    differ = [
        here.label != there["label"] for here, there in zip(wanted, told["answers"], strict=True)
    ]
    return {
        "labels_differ": int(sum(differ)),
        "score_difference_max": float(apart.max()),
        "score_difference_p99": float(np.quantile(apart, 0.99)),
        "scores_beyond_1e-4": int((apart > 1e-4).sum()),
        "server_texts_per_second": round(len(texts) / spent, 1),
        "server_texts_per_cpu_second": round(len(texts) / cpu, 1),
        "browser_texts_per_second": round(1000 * len(texts) / told["spent"], 1),
        "browser_texts_per_cpu_second": round(len(texts) / max(browser_cpu, 1e-3), 1),
        "browser_open_seconds": round(opened / 1000, 2),
    }


def children_seconds() -> float:
    """CPU seconds of every process below this one, Chromium's above all."""
    tree: dict[int, tuple[int, float]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(") ")[2].split()
        except OSError:
            continue  # It ended meanwhile.
        seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        tree[int(entry.name)] = (int(fields[1]), seconds)

    def below(process: int) -> bool:
        while process in tree:
            process = tree[process][0]
            if process == os.getpid():
                return True
        return False

    return sum(seconds for process, (_, seconds) in tree.items() if below(process))


if __name__ == "__main__":
    sys.exit(main())
