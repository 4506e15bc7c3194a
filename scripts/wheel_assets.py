"""Puts ONNX Runtime Web into a wheel, where npm is at hand: pages then run encoders at once.

A build hook of hatchling. npm installs from the lock file that ``metier doctor --install browser``
uses, so the bytes are those of its digests; the two files that pages load go into the package as
``metier/browser_assets``. Without npm or a network the wheel is whole but for them, the build says
so, and ``metier doctor --install browser`` gets them later.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LOCK = Path("src/metier/toolchains/locks/browser")
PLACE = "metier/browser_assets"
SECONDS = 600
NOTICE = """ONNX Runtime Web, https://github.com/microsoft/onnxruntime

MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""


class WheelAssets(BuildHookInterface):
    """Adds the files to a wheel; an editable install and an sdist have none."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Install and name the files to add."""
        if self.target_name != "wheel" or version == "editable":
            return
        self._folder = tempfile.mkdtemp(prefix="metier-assets-")
        problem = self._install(Path(self._folder))
        if problem:
            self.app.display_warning(
                f"The wheel has no ONNX Runtime Web: {problem} Pages say how to get it: "
                "metier doctor --install browser."
            )
            return
        notice = Path(self._folder) / "LICENSE.txt"
        notice.write_text(NOTICE, "utf-8")
        build_data["force_include"][str(notice)] = f"{PLACE}/{notice.name}"
        facts = json.loads((Path(self.root) / LOCK / "package.json").read_text("utf-8"))
        for name in facts["kept"]:
            if Path(name).suffix in (".mjs", ".wasm"):
                target = f"{PLACE}/{Path(name).name}"
                build_data["force_include"][str(Path(self._folder) / name)] = target

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002  the build names them
        """Remove what was installed."""
        if folder := getattr(self, "_folder", None):
            shutil.rmtree(folder, ignore_errors=True)

    def _install(self, folder: Path) -> str | None:
        """Run npm in ``folder``; returns why it could not, or ``None``."""
        npm = shutil.which("npm")
        if npm is None:
            return "npm was not found."
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(Path(self.root) / LOCK / name, folder / name)
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
        try:
            done = subprocess.run(
                [npm, "ci", *options, "--loglevel=error"],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"npm did not end: {error}."
        if done.returncode:
            lines = done.stderr.strip().splitlines()
            return f"npm failed: {lines[0][:200] if lines else done.returncode}."
        return None
