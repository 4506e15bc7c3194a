"""A real fleet with a chat specialist that checks Python, and a pack of a few documents.

No toolchain and no model are needed: the python tool checks in this process, the pack is searched
by words, and what writes is a scripted service.
"""

from __future__ import annotations

from pathlib import Path

from metier.assembly import Metier
from metier.settings import Settings

DOCUMENTS = {
    "loops.md": "# Loops\n\n## For\n\nUse `for item in items` to visit every item of a list.\n",
    "files.md": "# Files\n\n## Opening\n\nUse `with open(path) as file` so that it is closed.\n",
}
GOOD = "```python\ndef add(a, b):\n    return a + b\n```\n"
BAD = "```python\ndef add(a, b)\n    return a + b\n```\n"


def opened(home: Path, *, service: str | None = None) -> Metier:
    """A fleet with ``coder`` and the pack ``notes``; ``service`` is written down as ``big``."""
    folder = home / "documents"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text, "utf-8")
    if service is not None:
        table = f'[big]\nurl = "{service}"\nmodel = "big-model"\n'
        (home / "services.toml").write_text(table, "utf-8")
    metier = Metier.open(Settings.read({"METIER_HOME": str(home)}))
    metier.make(metier.pack_recipe(folder, name="notes"), folder=home)
    metier.make(metier.packaged_recipe("coder"), folder=home)
    return metier
