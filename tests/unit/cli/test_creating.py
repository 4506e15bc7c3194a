"""``metier create``, and import, export, list and show of local models, with the real parts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from metier.assembly import Metier
from metier.cli.program import program
from metier.cli.session import Session
from metier.errors import MetierError
from metier.fleet import Fleet
from metier.settings import Settings
from metier.store import Store
from tiny_gguf import tiny_adapter, tiny_folder, tiny_model

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in a folder with a model and an adapter, over a home of its own."""
    weights = tiny_model(tmp_path)
    tiny_adapter(tmp_path, weights, seed=1)
    settings = Settings.read({"METIER_HOME": str(tmp_path / "home")})
    metier = Metier(settings, Fleet(Store.open(settings.home)))
    monkeypatch.chdir(tmp_path)

    def ran(*words: str) -> Result:
        return CliRunner().invoke(program, words, obj=Session(lambda: metier))

    return ran


def modelfile(folder: Path, text: str, name: str = "Modelfile") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def document(result: Result) -> Any:
    assert result.exception is None, result.exception
    return json.loads(result.stdout)


def error_of(result: Result) -> MetierError:
    """What ended a command; its exit code is that of wrong input."""
    assert result.exit_code == 2
    assert result.exception is not None
    error = result.exception.__cause__
    assert isinstance(error, MetierError)
    return error


def test_a_gguf_file_a_modelfile_and_a_model(run: Run, tmp_path: Path) -> None:
    taken = run("import", "tiny-qwen2-0.gguf", "--name", "team/tiny:1")
    assert "Imported team/tiny:1 (base, 575 kB)." in taken.stdout
    modelfile(
        tmp_path / "sub",
        "FROM team/tiny:1\nADAPTER ../tiny-adapter-qwen2-1.gguf\nSYSTEM Be kind.\n"
        "PARAMETER temperature 0.5\nPARAMETER mirostat 1\nLICENSE MIT\n",
    )
    made = run("create", "kind", "-f", "sub/Modelfile")
    assert "Created kind (specialist, 610 kB).\nTalk to it:  metier run kind\n" in made.stdout
    assert "fits team/tiny:1" in made.stderr
    assert "'mirostat' is deprecated" in made.stderr

    listed = run("list").stdout
    assert "qwen2 139.8K F32" in listed
    assert "from team/tiny:1" in listed
    shown = run("show", "kind").stdout
    for words in ("qwen2", "139.8K", "F32", "Be kind.", "MIT", "temperature 0.5", "team/tiny:1"):
        assert words in shown


def test_every_answer_as_json(run: Run, tmp_path: Path) -> None:
    taken = document(run("import", "tiny-qwen2-0.gguf", "--name", "tiny", "--json"))
    assert taken["imported"][0]["kind"] == "base"
    modelfile(tmp_path, "FROM tiny\nSYSTEM Be kind.\nSYSTEM Be kinder.\n")
    made = document(run("create", "kind", "--json"))
    assert (made["name"], made["kind"]) == ("kind", "specialist")
    assert len(made["notes"]) == 1
    assert made["said"][-1] == "Writing the manifest."
    (first, _) = document(run("list", "--json"))["installed"]
    assert (first["name"], first["parent"], first["task"]) == ("kind", "tiny", "generate")
    shown = document(run("show", "kind", "--json"))
    assert shown["system"] == "Be kinder."
    assert shown["parameter_count"] == 139_840
    assert shown["base"].startswith("sha256:")
    text = document(run("export", "kind", "--modelfile", "--json"))["modelfile"]
    assert "FROM kind\n" in text


def test_a_modelfile_goes_out_and_comes_back(run: Run) -> None:
    run("import", "tiny-qwen2-0.gguf", "--name", "tiny")
    assert run("export", "tiny", "--modelfile").stdout.startswith("# Modelfile of tiny")
    written = run("export", "tiny", "--modelfile", "--to", "out")
    assert "Make it again:  metier create NAME -f out/Modelfile" in written.stdout
    assert document(run("create", "again", "-f", "out/Modelfile", "--json"))["kind"] == "base"
    path = document(run("export", "again", "--modelfile", "--to", "more", "--json"))["path"]
    assert path == "more/Modelfile"


def test_a_folder_is_converted_as_it_is_asked(run: Run, tmp_path: Path) -> None:
    tiny_folder(tmp_path / "folder")
    modelfile(tmp_path, "FROM ./folder\n")
    assert document(run("create", "conv", "--quantize", "q8_0", "--json"))["kind"] == "base"
    assert document(run("show", "conv", "--json"))["quantization"] == "Q8_0"
    assert error_of(run("create", "conv", "--quantize", "q4_k_m")).code == "bad_options"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("create", "x"), "file_not_found"),
        (("create", "x", "-f", "bad"), "bad_modelfile"),
        (("create", "a b", "-f", "good"), "bad_name"),
        (("create", "x", "-f", "good"), "not_found"),
        (("import", "tiny-qwen2-0.gguf", "--projector", "none"), "no_file"),
        (("import", "tiny-qwen2-0.gguf", "--projector", "tiny-qwen2-0.gguf"), "bad_gguf"),
        (("import", ".", "--projector", "bad"), "bad_usage"),
        (("import", "tiny-adapter-qwen2-1.gguf"), "bad_gguf"),
        (("export", "x", "--modelfile"), "not_found"),
    ],
)
def test_what_is_wrong_has_a_code(run: Run, tmp_path: Path, words: Any, code: str) -> None:
    modelfile(tmp_path, "FROM a\nSYTEM x\n", "bad")
    modelfile(tmp_path, "FROM missing\n", "good")
    assert error_of(run(*words)).code == code
