"""What comes with the package: the default base, the starters, recipes by name.

It knows where they lie and puts them into the store; what a person removed stays removed.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from metier.errors import NotFoundError, UnavailableError
from metier.fleet import Fleet, Installed
from metier.hardware import give_back_memory
from metier.manifest import KIND
from metier.messages import Progress, Report
from metier.reference import Digest, Reference

DEFAULT_BASE = "all-minilm-l6-v2"
_PACKAGE = Path(__file__).parents[1]
STARTERS = _PACKAGE / "starters"
RECIPES = _PACKAGE / "recipes"


def packaged_recipes() -> dict[str, Path]:
    """The recipes that come with the package, by name."""
    return {path.stem: path for path in sorted(RECIPES.glob("*.toml"))}


def packaged_recipe(name: str) -> Path:
    """The file of a packaged recipe; raises NotFoundError (code ``no_recipe``) with near names."""
    known = packaged_recipes()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    guess = f" Did you mean {' or '.join(near)}?" if near else ""
    raise NotFoundError(
        f"There is no recipe {name!r}.{guess}",
        code="no_recipe",
        remedy=f"Name a file, or one that comes with Metier: {', '.join(known)}.",
        details={"near": near},
    )


def install_base(
    fleet: Fleet, home: Path, source: Path | None, name: str | None, report: Report
) -> Installed:
    """Convert an encoder's folder and file it; by default the packaged MiniLM.

    Raises:
        NotFoundError: The package is not installed (code ``encoder_missing``).
    """
    import tempfile

    from metier.conversion.upstream import find_packaged_default

    folder = source or find_packaged_default()
    from metier.conversion.preparation import prepare_base  # loads ONNX: only if there is something

    work = home / "work"
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work) as temporary:
        files = prepare_base(folder, Path(temporary) / "base", report, name=name)
        roles = {"base.json": "weight-config", "config.json": "weight-config"}
        roles["tokenizer.json"] = "weight-config"
        parts: dict[str, Any] = {
            path.name: (roles.get(path.name, "weight"), path) for path in files.parts()
        }
        called = name or DEFAULT_BASE if source is None else name or folder.name
        return fleet.install(Reference.parse(called), parts, {KIND: "base"}, adopt=True)


def base_folder(fleet: Fleet, base: str) -> Path:
    """Where an installed base lies; raises UnavailableError (code ``base_missing``)."""
    try:
        installed = fleet.show(base)
    except NotFoundError as error:
        raise UnavailableError(
            f"The base {base!r} is not installed, so what stands over it cannot answer.",
            code="base_missing",
            remedy="Run 'metier doctor'; 'make up' installs the default base.",
        ) from error
    return fleet.store.folder(installed.reference)


def install_starters(fleet: Fleet, home: Path, report: Report) -> Sequence[Installed]:
    """Put the default base and the packaged starters into the store where they are missing.

    A missing encoder package is reported, not raised: linear specialists need none.
    """
    known = {item.name for item in fleet.list()}
    fresh: list[Installed] = []
    if DEFAULT_BASE not in known:
        try:
            fresh.append(install_base(fleet, home, None, None, report))
        except NotFoundError as error:
            remedy = f" {error.remedy}" if error.remedy else ""
            report(Progress("base", error.message + remedy))
    if STARTERS.is_dir():
        fresh.extend(_import_starters(fleet, home))
    if fresh:
        give_back_memory()  # a server that starts with this runs for days
    return fresh


def _import_starters(fleet: Fleet, home: Path) -> Sequence[Installed]:
    """Import the packaged starters once: what a person removed stays removed.

    A specialist of the person's own that has a starter's name stays as it is.
    """
    mark = home / "starters.sha256"
    digest = Digest.of((STARTERS / "index.json").read_bytes()).hex
    if mark.is_file() and mark.read_text("ascii").strip() == digest:
        return []
    imported = fleet.import_path(STARTERS, replace=False)
    mark.write_text(digest, "ascii")
    return imported
