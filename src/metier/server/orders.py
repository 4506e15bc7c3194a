"""Turns uploads into orders for the job queue: make, evaluate, compare, verify, pull.

It knows which fields each verb reads and the command line that does the same. Both doors use it:
``/metier/v1`` and the form of the page.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from metier.errors import InputError
from metier.messages import Progress, Report
from metier.recipe import GENERAL, checked_domain
from metier.reference import Reference
from metier.server.comparing import KIND as CONTRAST
from metier.server.comparing import contrast_order
from metier.server.facade import Facade
from metier.server.hoporders import KIND as HOP
from metier.server.hoporders import hop_order
from metier.server.jobrecords import Order
from metier.server.trying import find_order
from metier.server.uploads import Upload

MOST_NAME = 400
"""Characters of a name to pull."""


def make_order(metier: Facade, upload: Upload) -> Order:
    """The order that makes a specialist of an upload; raises InputError on a wrong field.

    Fields: ``name``, ``domain``, ``text``, ``label``, ``group``, ``budget``, ``seed``,
    ``drop_leaks``, ``curve``; files ``data`` and, if wanted, ``eval``.
    """
    # A recipe that came over HTTP names its files by name only, beside itself.
    data = Path(upload.file("data").name)
    eval_file = Path(upload.file("eval").name) if "eval" in upload.files else None
    name = Reference.parse(upload.needed("name")).familiar
    budget, seed = upload.seconds("budget"), upload.number("seed", otherwise=0)
    drop_leaks = upload.flag("drop_leaks")
    curve = upload.text("curve") is None or upload.flag("curve")
    columns = {field: upload.text(field) for field in ("text", "label", "group")}
    domain = checked_domain(upload.text("domain") or GENERAL)

    def work(report: Report, cancelled: Callable[[], bool]) -> Any:
        recipe = metier.recipe_for(
            data,
            name=name,
            domain=domain,
            eval_file=eval_file,
            text=columns["text"],
            label=columns["label"],
            group=columns["group"],
            budget=budget,
            seed=seed,
            drop_leaks=drop_leaks,
            curve=curve,
        )
        return metier.make(
            recipe, folder=upload.folder, report=report, cancelled=cancelled, confined=True
        )

    words = ["metier", "make", "--task", "classify", "--data", data.name, "--name", name]
    words += ["--domain", domain] if domain != GENERAL else []
    words += ["--eval", eval_file.name] if eval_file else []
    for field, value in columns.items():
        words += [f"--{field}", value] if value else []
    words += ["--budget", upload.needed("budget")] if budget else []
    words += ["--seed", str(seed)] if seed else []
    words += ["--drop-leaks"] if drop_leaks else []
    return _with_upload(Order("make", name, _command(words), work), upload)


def evaluate_order(metier: Facade, upload: Upload) -> Order:
    """The order that questions a specialist, field ``name``, on the file ``eval``.

    ``against`` names rivals, parted by commas.
    """
    on = upload.file("eval")
    name = metier.show(upload.needed("name")).reference.familiar
    against = [part.strip() for part in (upload.text("against") or "").split(",") if part.strip()]

    def work(report: Report, cancelled: Callable[[], bool]) -> Any:
        return metier.evaluate(
            name, on=str(on), against=against, report=report, cancelled=cancelled
        )

    words = ["metier", "eval", name, "--on", on.name]
    for rival in against:
        words += ["--against", rival]
    return _with_upload(Order("evaluate", name, _command(words), work), upload)


def compare_order(metier: Facade, upload: Upload) -> Order:
    """The order that compares ``first`` with ``second`` on the file ``eval``."""
    on = upload.file("eval")
    first, second = (
        metier.show(upload.needed(field)).reference.familiar for field in ("first", "second")
    )
    if first == second:
        raise InputError(
            f"{first!r} cannot be compared with itself.", remedy="Name two different specialists."
        )

    def work(report: Report, cancelled: Callable[[], bool]) -> Any:
        del cancelled
        report(Progress("eval", f"Both answer {on.name}."))
        return metier.compare(first, second, on=str(on))

    words = ["metier", "compare", first, second, "--on", on.name]
    return _with_upload(Order("compare", first, _command(words), work), upload)


def remake_order(metier: Facade) -> Order:
    """The order that checks the store and makes every starter again."""

    def work(report: Report, cancelled: Callable[[], bool]) -> Any:
        del cancelled
        return metier.verify(remake=True, report=report)

    return Order("verify", "", "metier verify --remake", work)


def pull_order(metier: Facade, name: str, *, after: str = "") -> Order:
    """The order that brings a model here from the hub; raises InputError on a blank name.

    What came before it was stopped is not fetched again. ``after`` is the path of this site that
    its page leads to once it is here.
    """
    wanted = name.strip()
    if not wanted or len(wanted) > MOST_NAME or not wanted.isprintable():
        raise InputError(
            "The name of the model is missing." if not wanted else f"{wanted[:60]!r} is no name.",
            code="bad_name",
            remedy="Give a name of the hub, like hf.co/OWNER/MODEL, or of the catalogue.",
            details={"param": "name"},
        )

    def work(report: Report, cancelled: Callable[[], bool]) -> Any:
        made = metier.pull(wanted, report=report, cancelled=cancelled)
        reference = getattr(made, "reference", None)
        here = reference.familiar if isinstance(reference, Reference) else wanted
        return {"name": here, "page": f"/specialists/{here}"}

    own = after.startswith("/") and not after.startswith(("//", "/\\", "/fleet"))
    fields = {"name": wanted, "next": after[:600] if own else ""}
    return Order(
        "pull", wanted, _command(["metier", "pull", wanted]), work, fields=fields, lane="pull"
    )


def again(
    metier: Facade,
    kind: str,
    folder: Path | None,
    fields: Mapping[str, str],
    files: Mapping[str, str],
) -> Order:
    """The order of a job that another server began; raises InputError as the first time."""
    if kind == "pull":
        return pull_order(metier, fields.get("name", ""), after=fields.get("next", ""))
    if kind == "verify":
        plain = fields.get("remake") == "false"
        return verify_order(metier) if plain else remake_order(metier)
    if kind == CONTRAST:
        names = fields.get("names", "").split("\n")
        return contrast_order(metier, names, fields.get("on", ""))
    if kind == HOP and not files:
        return hop_order(metier, Upload(Path(), fields, {}))
    orders = {
        "make": make_order,
        "evaluate": evaluate_order,
        "compare": compare_order,
        "find": find_order,
        HOP: hop_order,
    }
    if kind not in orders or folder is None:
        raise InputError(f"A job of the kind {kind[:40]!r} cannot be resumed.", code="no_file")
    paths = {field: folder / Path(name).name for field, name in files.items()}
    return orders[kind](metier, Upload(folder, fields, paths))


def _with_upload(order: Order, upload: Upload) -> Order:
    return replace(
        order,
        folder=upload.folder,
        fields=dict(upload.fields),
        files={field: path.name for field, path in upload.files.items()},
    )


def verify_order(metier: Facade) -> Order:
    """The order that compares every byte of the store with its digest."""

    def work(report: Report, cancelled: Callable[[], bool]) -> Any:
        del cancelled
        return metier.verify(remake=False, report=report)

    return Order("verify", "the store", "metier verify", work, fields={"remake": "false"})


def _command(words: list[str]) -> str:
    return shlex.join(words)
