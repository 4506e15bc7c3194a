from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from metier.tools.python.inside import starting


def test_packages_are_found_at_their_own_paths_alone(tmp_path: Path) -> None:
    shelf = tmp_path / "a" / "kept"
    shelf.mkdir(parents=True)
    (shelf / "__init__.py").write_text("from .part import N\n")
    (shelf / "part.py").write_text("import single\nN = single.N\n")
    (tmp_path / "single.py").write_text("N = 3\n")
    (tmp_path / "a" / "beside.py").write_text("N = 4\n")
    found = starting.Shelf([str(shelf), str(tmp_path / "single.py")])
    assert found.find_spec("beside", None) is None
    script = (
        "import sys, importlib.util as u\n"
        f"s = u.spec_from_file_location('starting', {starting.__file__!r})\n"
        "m = u.module_from_spec(s); s.loader.exec_module(m)\n"
        f"sys.meta_path.insert(0, m.Shelf({[str(shelf), str(tmp_path / 'single.py')]!r}))\n"
        "import kept\nassert kept.N == 3\n"
    )
    subprocess.run([sys.executable, "-I", "-S", "-c", script], check=True, timeout=60)


def test_a_side_without_a_channel_does_not_start() -> None:
    command = [sys.executable, "-I", "-S", starting.__file__, "answer"]
    inside = str(Path(starting.__file__).parent)
    done = subprocess.run([*command, inside], capture_output=True, timeout=60, env={}, check=False)
    assert done.returncode == 1
    assert b"METIER_REQUESTS" in done.stderr
