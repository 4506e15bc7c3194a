"""How well programs tell which language a snippet is in: a linear model, pygments and magika.

The eval is the sealed part of ``src/metier/recipes/code-language.toml``: snippets of
repositories that the linear model never saw (a peer may have). A peer answers in its own words,
which are translated to ours; because some of our labels are unknown to a peer, its accuracy is also
given over those that it knows, and with families (JavaScript with TypeScript and JSX; C with C++;
HTML with Vue and Svelte; Markdown with text) counted as one.

    pip install pygments magika
    python benchmarks/code_language.py --mirror DIR --out FILE

Without ``--mirror`` the rows are fetched from their 242 repositories into ``--cache``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from record import write

from metier.datasets.sources import resolve
from metier.features import FeatureSpec, hashed_counts
from metier.recipe import Recipe

RECIPE = Path(__file__).parents[1] / "src" / "metier" / "recipes" / "code-language.toml"
FAMILIES = {
    "typescript": "javascript",
    "jsx": "javascript",
    "cpp": "c",
    "vue": "html",
    "svelte": "html",
    "text": "markdown",
}
MAGIKA = {
    "cs": "csharp",
    "csproj": "xml",
    "erb": "html",
    "handlebars": "html",
    "hcl": "terraform",
    "gemfile": "ruby",
    "gemspec": "ruby",
    "jsonl": "json",
    "scss": "css",
    "shell": "bash",
    "svg": "xml",
    "twig": "html",
    "txt": "text",
    "vcxproj": "xml",
}
"""Magika's words in ours; a template or a superset counts as what it contains."""
MAGIKA_LACKS = {"jsx", "svelte"}
PYGMENTS = {
    "c#": "csharp",
    "c++": "cpp",
    "css+mako": "css",
    "docker": "dockerfile",
    "html+php": "php",
    "html+django/jinja": "html",
    "javascript+genshi text": "javascript",
    "powershell session": "powershell",
    "s": "r",
    "text only": "text",
    "transact-sql": "sql",
    "mysql": "sql",
    "typoscript": "text",
    "tsx": "jsx",
}
PYGMENTS_LACKS = {"svelte"}

Guess = Callable[[Sequence[str]], list[str]]


def main() -> None:
    """Measure every system that is installed and write one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mirror", type=Path, help="a folder that has the rows by digest")
    parser.add_argument("--cache", type=Path, default=Path("build/cache"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/code_language.json"))
    parser.add_argument("--buckets", type=int, nargs="+", default=[1 << 18, 1 << 14])
    arguments = parser.parse_args()
    part = Recipe.from_toml(RECIPE.read_text(encoding="utf-8")).data[0]
    rows = resolve(part, folder=RECIPE.parent, mirror=arguments.mirror, cache=arguments.cache)
    records = [json.loads(line) for line in rows.path.read_bytes().splitlines()]
    train = [row for row in records if row["split"] == "train"]
    sealed = [row for row in records if row["split"] == "test"]
    labels = {row["label"] for row in records}
    systems: dict[str, Any] = {}
    for buckets in arguments.buckets:
        guess, notes = linear(train, buckets)
        systems[f"linear, {buckets} buckets"] = measured(guess, sealed, set()) | notes
    for name, make, lacks in (
        ("pygments", pygments_guess, PYGMENTS_LACKS),
        ("magika", magika_guess, MAGIKA_LACKS),
    ):
        try:
            guess = make(labels)
        except ImportError:
            print(f"{name} is not installed and is left out.", file=sys.stderr)
            continue
        systems[name] = measured(guess, sealed, lacks) | {"version": version(name)}
    facts = {"rows_sha256": rows.sha256, "train": len(train), "eval": len(sealed)}
    write(arguments.out, facts | {"labels": len(labels), "systems": systems}, seed=0)
    for name, figures in systems.items():
        print(name, figures["accuracy"], figures["texts_per_cpu_second"], "texts/s")


def linear(train: Sequence[dict[str, Any]], buckets: int) -> tuple[Guess, dict[str, Any]]:
    """A linear model on Metier's own features: TF-IDF of hashed words and characters, hinge loss.

    The weights are rounded to eight bits per label, as an artefact holds them.
    """
    from sklearn.preprocessing import normalize
    from sklearn.svm import LinearSVC

    spec = FeatureSpec(buckets=buckets)
    started = time.process_time()
    counts = hashed_counts([row["text"] for row in train], spec)
    present = np.bincount(counts.indices, minlength=buckets)
    rarity = (np.log((1 + counts.shape[0]) / (1 + present)) + 1).astype(np.float32)

    def weighted(matrix: Any) -> Any:
        matrix = matrix.copy()
        matrix.data = (1 + np.log(matrix.data)) * rarity[matrix.indices]
        return normalize(matrix)

    model = LinearSVC(C=1.0, random_state=0).fit(weighted(counts), [row["label"] for row in train])
    scale = np.abs(model.coef_).max(axis=1, keepdims=True) / 127
    weights = (np.round(model.coef_ / scale) * scale).astype(np.float32).T

    def guess(texts: Sequence[str]) -> list[str]:
        scores = weighted(hashed_counts(texts, spec)) @ weights + model.intercept_
        return [str(label) for label in model.classes_[scores.argmax(axis=1)]]

    made = time.process_time() - started
    return guess, {"made_cpu_seconds": round(made, 1), "int8_bytes": int(weights.size)}


def pygments_guess(labels: set[str]) -> Guess:
    """``pygments.lexers.guess_lexer``."""
    from pygments.lexers import guess_lexer
    from pygments.util import ClassNotFound

    def one(text: str) -> str:
        try:
            lexer = guess_lexer(text)
        except ClassNotFound:
            return "text"
        names = [lexer.name.lower(), *lexer.aliases]
        known = [PYGMENTS.get(name, name) for name in names]
        return next((name for name in known if name in labels), names[0])

    return lambda texts: [one(text) for text in texts]


def magika_guess(_labels: set[str]) -> Guess:
    """Magika's model, its answer taken even when it is unsure."""
    from magika import Magika, PredictionMode

    system = Magika(prediction_mode=PredictionMode.BEST_GUESS)

    def one(text: str) -> str:
        answer = str(system.identify_bytes(text.encode()).output.label)
        return MAGIKA.get(answer, answer)

    return lambda texts: [one(text) for text in texts]


def measured(guess: Guess, rows: Sequence[dict[str, Any]], lacks: set[str]) -> dict[str, Any]:
    """Accuracies with 95 % intervals (bootstrap over repositories) and speed on one core."""
    texts = [row["text"] for row in rows]
    truth = [row["label"] for row in rows]
    started = time.process_time()
    answers = guess(texts)
    seconds = time.process_time() - started
    right = np.array([answer == label for answer, label in zip(answers, truth, strict=True)])
    family = np.array(
        [FAMILIES.get(a, a) == FAMILIES.get(b, b) for a, b in zip(answers, truth, strict=True)]
    )
    known = np.array([label not in lacks for label in truth])
    places = np.array([row["repository"] for row in rows])
    lines = np.array([text.count("\n") + 1 for text in texts])
    return {
        "accuracy": interval(right, places),
        "accuracy_of_known_labels": interval(right[known], places[known]),
        "accuracy_of_families": interval(family, places),
        "accuracy_by_lines": {
            f"{low}-{high}": round(float(right[(lines >= low) & (lines <= high)].mean()), 4)
            for low, high in ((1, 5), (6, 10), (11, 20))
        },
        "accuracy_by_label": {
            label: round(float(right[np.array(truth) == label].mean()), 3)
            for label in sorted(set(truth))
        },
        "texts_per_cpu_second": round(len(texts) / seconds),
    }


def interval(right: np.ndarray, places: np.ndarray) -> dict[str, float]:
    """The mean and its 95 % interval, whole repositories drawn 2,000 times."""
    _, group = np.unique(places, return_inverse=True)
    sums, sizes = np.bincount(group, right), np.bincount(group)
    drawn = np.random.default_rng(0).integers(0, sizes.size, (2000, sizes.size))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    values = {"value": right.mean(), "low": low, "high": high}
    return {name: round(float(value), 4) for name, value in values.items()}


if __name__ == "__main__":
    main()
