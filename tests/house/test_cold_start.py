"""The cold start: what a fresh interpreter loads for ``import metier`` and for ``metier --help``.

It checks what is loaded, which is the same on every machine; milliseconds are a benchmark's matter.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest

HEAVY = {
    "fastapi",
    "jinja2",
    "joblib",
    "numpy",
    "onnx",
    "onnxruntime",
    "pandas",
    "scipy",
    "sklearn",
    "statsmodels",
    "tokenizers",
    "torch",
    "uvicorn",
}
LIGHT_FOR_IMPORT = HEAVY | {"click", "httpx", "pydantic", "rich"}
NAMES_AT_MOST = 20


def loaded_by(statement: str) -> set[str]:
    """Top-level modules that a fresh interpreter has after ``statement``."""
    program = (
        f"{statement}\nimport json, sys\n"
        "json.dump(sorted({name.split('.')[0] for name in sys.modules}), sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_the_reader_sees_a_heavy_package() -> None:
    assert "pydantic" in loaded_by("import pydantic")


def test_import_metier_loads_nothing_heavy() -> None:
    assert loaded_by("import metier") & LIGHT_FOR_IMPORT == set()


def test_help_loads_nothing_heavy() -> None:
    if importlib.util.find_spec("metier.cli") is None:
        pytest.skip("the command line is not part of this tree")
    statement = (
        "from metier.cli import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit as stop:\n    assert not stop.code, stop.code"
    )
    assert loaded_by(statement) & HEAVY == set()


def test_a_server_at_rest_loads_no_method_of_learning() -> None:
    """Tens of megabytes each: they come when somebody makes, measures or asks a classifier."""
    statement = "import metier.assembly, metier.server.app, metier.site, metier.cli.serving"
    resting = {
        "joblib",
        "onnxruntime",
        "pandas",
        "PIL",
        "scipy",
        "sklearn",
        "tokenizers",
        "xllamacpp",
    }
    assert loaded_by(statement) & resting == set()


def test_the_front_door_is_small() -> None:
    program = "import metier; print(*metier.__all__)"
    if "__all__" not in vars(importlib.import_module("metier")):
        pytest.skip("the front door is not part of this tree")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    names = done.stdout.split()
    assert 0 < len(names) <= NAMES_AT_MOST
    for name in names:
        subprocess.run([sys.executable, "-c", f"from metier import {name}"], check=True)
