"""What does making give on real picture sets, and what does it take?

Makes specialists with the defaults of ``metier make --task classify-image`` and prints accuracy
with interval, processor seconds and milliseconds of a picture, beside the peer that anybody writes
in ten lines: pixels of a 16 x 16 picture with logistic regression, its C chosen by cross-validation
on the same training rows. Every make runs in a process of its own; "cpu" covers everything from
cold files to a card, the worker that decodes included. To reach: clothing64 above .419, mnist_8k
above .907 (the peers' figures when the sets were put together), features in 5 ms a picture.

    python benchmarks/make_pictures.py --mirror DIR --home DIR --out benchmarks/results/make_pictures.json
"""  # noqa: E501  a command is one line

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from record import write

SETS = {"clothing64": "vision/clothing64.zip", "mnist_8k": "vision/mnist_8k.npz"}
SMALL = 16
TIMED = 200


def one(arguments: argparse.Namespace) -> dict[str, Any]:
    """One make in this process, from cold files to a card, then the time of single answers."""
    from metier.assembly import Metier
    from metier.recipe import Recipe
    from metier.settings import Settings

    settings = Settings.read({"METIER_HOME": str(arguments.home), "HOME": str(arguments.home)})
    shutil.rmtree(arguments.home / "cache" / "pictures", ignore_errors=True)
    metier = Metier.open(settings)
    name, source = f"bench-{arguments.set}", arguments.mirror / SETS[arguments.set]
    recipe = Recipe.model_validate(
        {
            "specialist": {"name": name, "task": "classify-image"},
            "data": [{"kind": "file", "path": str(source)}],
            "split": {"train": ["train", *(["valid"] if arguments.both else [])]},
            "ladder": {"curve": False},
        }
    )
    started = time.perf_counter()
    card = metier.make(recipe, folder=Path.cwd())
    wall = time.perf_counter() - started
    answer = _answer_times(metier, name, source)
    metier.close()
    worker = resource.getrusage(resource.RUSAGE_CHILDREN)
    metier.remove(name)
    headline = card.accuracy()
    assert headline is not None
    assert headline.interval is not None
    return {
        "rung": card.rung,
        "accuracy": headline.value,
        "interval": [headline.interval.low, headline.interval.high],
        "n": headline.n,
        "train": card.data.train_rows,
        "cross_validated": {
            rung.name: rung.accuracy.value for rung in card.ladder if rung.accuracy
        },
        "ece": card.calibration.expected_calibration_error if card.calibration else None,
        "leaked": card.leaks.leaked,
        "wall_seconds": wall,
        "cpu_seconds": card.cpu_seconds + worker.ru_utime + worker.ru_stime,
        "size_bytes": card.cost.size_bytes,
        "ms_features_and_head": card.cost.ms_per_text,
        **answer,
    }


def _answer_times(metier: Any, name: str, source: Path) -> dict[str, float]:
    """Median milliseconds of one file after the other: decoded in the worker, then labelled."""
    from metier.datasets.pictures import picture_files
    from metier.picturing import Picture

    read = [file.read() for file in picture_files(source, name=name).files[:TIMED]]
    files = [item for item in read if not isinstance(item, Picture)]
    if not files:
        return {}
    decode, whole = [], []
    for data in files:
        start = time.perf_counter()
        (picture,) = metier.picturing.decoded([data])
        decode.append(time.perf_counter() - start)
        metier.picturing.classify_decoded(name, [picture])
        whole.append(time.perf_counter() - start)
    return {
        "ms_decode": float(np.median(decode[10:]) * 1000),
        "ms_answer": float(np.median(whole[10:]) * 1000),
    }


def peer(arguments: argparse.Namespace) -> dict[str, Any]:
    """16 x 16 pixels with logistic regression in scikit-learn, on the same rows."""
    from sklearn.linear_model import LogisticRegressionCV

    from metier.datasets.pictures import picture_files
    from metier.picturefeatures import pixels_of, resized
    from metier.pictures import Reader

    reader = Reader()
    rows, labels, splits = [], [], []
    for file in picture_files(arguments.mirror / SETS[arguments.set], name="peer").files:
        found = file.read()
        picture = reader.decode(found, where=file.place) if isinstance(found, bytes) else found
        rows.append(resized(pixels_of(picture), SMALL, SMALL).reshape(-1) / 255.0)
        labels.append(file.label)
        splits.append(file.split)
    reader.close()
    started = time.process_time()
    pixels, truth, split = np.array(rows), np.array(labels), np.array(splits)
    train = np.isin(split, ["train", *(["valid"] if arguments.both else [])])
    test = split == "test"
    model = LogisticRegressionCV(
        Cs=(0.003, 0.03, 0.3, 3.0),
        cv=3,
        max_iter=300,
        l1_ratios=(0.0,),
        use_legacy_attributes=False,
    )
    model.fit(pixels[train], truth[train])
    return {
        "accuracy": float((model.predict(pixels[test]) == truth[test]).mean()),
        "majority": float((truth[test] == _most(truth[train])).mean()),
        "n": int(test.sum()),
        "C": float(np.ravel(model.C_)[0]),
        "fit_cpu_seconds": time.process_time() - started,
    }


def _most(labels: Any) -> str:
    values, counts = np.unique(labels, return_counts=True)
    return str(values[counts.argmax()])


def apart(arguments: argparse.Namespace, name: str, what: str, *, both: bool) -> dict[str, Any]:
    """One run in a process of its own."""
    command = [sys.executable, __file__, "--mirror", str(arguments.mirror)]
    command += ["--home", str(arguments.home), "--set", name, "--what", what]
    command += ["--both"] if both else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Run every set, or one of them for the process that does it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--set", choices=list(SETS))
    parser.add_argument("--what", choices=["make", "peer"])
    parser.add_argument("--both", action="store_true", help="train on the valid split too")
    arguments = parser.parse_args()
    if arguments.what:
        act = one if arguments.what == "make" else peer
        print(json.dumps(act(arguments)))
        return
    results: dict[str, Any] = {}
    for name, both in (("clothing64", False), ("clothing64", True), ("mnist_8k", False)):
        key = f"{name}, train and valid" if both else name
        results[key] = {
            "made": apart(arguments, name, "make", both=both),
            "peer": apart(arguments, name, "peer", both=both),
        }
        made, other = results[key]["made"], results[key]["peer"]
        low, high = made["interval"]
        ms = made.get("ms_answer", made["ms_features_and_head"])
        print(
            f"{key}: {made['accuracy']:.3f} [{low:.3f}, {high:.3f}] {made['rung']}, "
            f"{made['cpu_seconds']:.0f} s CPU, {ms:.1f} ms a picture; peer "
            f"{other['accuracy']:.3f}, majority {other['majority']:.3f} (n {made['n']})"
        )
    if arguments.out:
        write(arguments.out, results, seed=0)


if __name__ == "__main__":
    main()
