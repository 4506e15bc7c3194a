"""Fields of a hop as an order for the job queue: which object it goes to, by the specialist's task.

It knows which fields each task takes, and the command line that does the same. No path of this
machine is taken: documents and evals are those that have a name, bases those that are here.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from metier.card import ChatCard, SearchCard
from metier.errors import InputError, NotFoundError
from metier.messages import Report
from metier.reference import Reference
from metier.server.facade import Facade, Installed
from metier.server.jobrecords import Order
from metier.server.uploads import Upload

KIND = "hop"
"""Of the jobs."""
MOST_BASES = 20
_FIELDS = ("bases", "every_new_base", "fresh", "docs", "on", "budget")
_EXAMPLE = (
    'Send {"bases": ["all-minilm-l6-v2"]} or {"every_new_base": true}, of a pack '
    '{"docs": "kit@3"}; see /docs.'
)
Work = Callable[[Report, Callable[[], bool]], Any]


def task_of(item: Installed) -> str:
    """``chat``, ``search``, or ``classify`` of everything else that hops."""
    if isinstance(item.card, ChatCard):
        return "chat"
    return "search" if isinstance(item.card, SearchCard) else "classify"


def document(metier: Facade, name: str) -> dict[str, Any]:
    """Everything about a name's hops, whatever its task, as JSON; raises NotFoundError.

    Beside what ``Hops.document`` says: ``task``; of a pack the ``versions`` that it could hold; of
    a chat specialist its ``base``, the ``bases`` that are here and the ``evals`` that have a name.
    """
    told = dict(metier.hopping.document(name))
    champion = str(told["champion"])
    item = metier.show(name)
    task = task_of(item)
    told |= {"task": task, "versions": [], "evals": []}
    if told["side"] or item.reference.familiar != champion:
        return told
    if task == "search":
        return told | {"versions": [one.to_dict() for one in metier.moving.offers(champion)]}
    if task == "chat":
        own = metier.rebasing.base(champion)
        evals = list(metier.rebasing.evals(champion))
        return told | {"base": own or "", "bases": _bases(metier, champion, own), "evals": evals}
    return told


def _bases(metier: Facade, name: str, own: str | None) -> list[dict[str, Any]]:
    """Bases that are here and not its own, as ``hop.Offer`` tells of them."""
    found = [one for one in metier.bases(name) if one.here and _plain(one.ref) != _plain(own or "")]
    return [
        {
            "key": one.ref,
            "here": True,
            "note": one.note,
            "command": shlex.join(["metier", "hop", name, "--base", one.ref]),
        }
        for one in found
    ]


def _plain(ref: str) -> str:
    """An installed model is called by its name with or without ``local:``."""
    return ref.removeprefix("local:")


def page_of(name: str) -> str:
    """Where a hop's outcome is shown."""
    return f"/specialists/{quote(name)}#hops"


def hop_order(metier: Facade, upload: Upload) -> Order:
    """The order that hops field ``name``; raises InputError on a wrong field.

    Fields of a classifier: ``bases`` (one a line or parted by commas), ``every_new_base``,
    ``budget``, file ``fresh``. Of a chat specialist: ``bases``, ``on``, ``budget``. Of a pack:
    ``docs``.
    """
    asked = Reference.parse(upload.needed("name"))
    if asked.side:
        front = asked.front.familiar
        told = f"{asked.familiar!r} was put aside by a hop; {front!r} is what hops."
        raise wrong(told, "name", f"Name {front}.", code="bad_name")
    item = metier.show(asked.familiar)
    name = item.reference.familiar
    orders = {"classify": _classifier, "chat": _chat, "search": _pack}
    work, words = orders[task_of(item)](metier, name, upload)

    def done(report: Report, cancelled: Callable[[], bool]) -> Any:
        return {**work(report, cancelled).to_dict(), "page": page_of(name)}

    return Order(
        KIND,
        name,
        shlex.join(["metier", "hop", name, *words]),
        done,
        folder=upload.folder if upload.files else None,
        fields={**upload.fields, "name": name},
        files={field: path.name for field, path in upload.files.items()},
    )


def _classifier(metier: Facade, name: str, upload: Upload) -> tuple[Work, list[str]]:
    _refuse(upload, name, "a classifier", ("docs", "on"))
    bases = _named(upload)
    every_new, budget = upload.flag("every_new_base"), upload.seconds("budget")
    if not bases and not every_new:
        raise wrong("No base is named.", "bases")
    fresh = upload.files.get("fresh")

    def work(report: Report, cancelled: Callable[[], bool]) -> Any:
        return metier.hopping.hop(
            name,
            bases=bases,
            every_new=every_new,
            fresh=fresh,
            budget=budget,
            report=report,
            cancelled=cancelled,
        )

    words = _options("--base", bases)
    words += ["--every-new-base"] if every_new else []
    words += ["--fresh", fresh.name] if fresh else []
    return work, [*words, *_budget(upload)]


def _chat(metier: Facade, name: str, upload: Upload) -> tuple[Work, list[str]]:
    _refuse(upload, name, "a chat specialist", ("docs", "every_new_base", "fresh"))
    bases, on, budget = _named(upload), upload.text("on"), upload.seconds("budget")
    here = [one.ref for one in metier.bases(name) if one.here]
    if not bases:
        raise wrong("No base is named.", "bases", _one_of("bases", here))
    known = {_plain(ref) for ref in here}
    for base in bases:
        if _plain(base) not in known:
            raise InputError(
                f"There is no base {base[:120]!r} here.",
                code="bad_base",
                remedy=_one_of("bases", here)
                or "Pull a model that writes, or write a service down in services.toml.",
                details={"param": "bases"},
            )
    evals = metier.rebasing.evals(name)
    if on is not None and on not in evals:
        raise NotFoundError(
            f"There is no eval {on[:120]!r}.",
            code="no_eval",
            remedy=f"{_one_of('on', evals)} A folder of tasks is taken by 'metier hop' alone.",
            details={"param": "on"},
        )

    def work(report: Report, cancelled: Callable[[], bool]) -> Any:
        return metier.rebasing.hop(
            name, bases, on=on, budget=budget, report=report, cancelled=cancelled
        )

    words = _options("--base", bases) + (["--on", on] if on else [])
    return work, [*words, *_budget(upload)]


def _pack(metier: Facade, name: str, upload: Upload) -> tuple[Work, list[str]]:
    _refuse(upload, name, "a document pack", ("bases", "every_new_base", "fresh", "on", "budget"))
    offered = {one.key: one for one in metier.moving.offers(name)}
    docs, versions = upload.text("docs"), metier.moving.versions()
    remedy = _one_of("docs", offered or versions)
    if docs is None:
        raise wrong("No version of documents is named.", "docs", remedy)
    if docs not in versions:
        raise NotFoundError(
            f"There is no version of documents {docs[:120]!r}.",
            code="no_version",
            remedy=f"{remedy} A folder is taken by 'metier hop' alone.",
            details={"param": "docs"},
        )

    def work(report: Report, cancelled: Callable[[], bool]) -> Any:
        return metier.moving.hop(name, docs, report=report, cancelled=cancelled)

    return work, ["--docs", docs]


def _named(upload: Upload) -> list[str]:
    """The bases, each once."""
    said = (upload.text("bases") or "").replace(",", "\n").split("\n")
    bases = list(dict.fromkeys(one.strip() for one in said if one.strip()))
    if len(bases) > MOST_BASES:
        raise wrong(f"{len(bases)} bases are named; {MOST_BASES} are taken at once.", "bases")
    return bases


def _refuse(upload: Upload, name: str, what: str, fields: Sequence[str]) -> None:
    """Say that a field is not for this task, before anything is done."""
    for field in fields:
        if upload.text(field) is not None or field in upload.files:
            own = [one for one in _FIELDS if one not in fields]
            raise wrong(
                f"{field!r} is not for {name!r}, which is {what}.",
                field,
                f"A hop of {what} takes {', '.join(own)}.",
                code="bad_request",
            )


def _one_of(field: str, names: Sequence[str] | Mapping[str, Any]) -> str:
    shown = ", ".join(list(names)[:MOST_BASES])
    return f"Name one of {shown} as {field!r}." if shown else ""


def _options(flag: str, values: Sequence[str]) -> list[str]:
    return [word for value in values for word in (flag, value)]


def _budget(upload: Upload) -> list[str]:
    return _options("--budget", [upload.needed("budget")] if upload.text("budget") else [])


def wrong(message: str, param: str, remedy: str = "", *, code: str = "") -> InputError:
    """A field that is wrong, with what to send instead."""
    return InputError(
        message,
        code=code or ("no_bases" if param == "bases" else "bad_request"),
        remedy=remedy or _EXAMPLE,
        details={"param": param},
    )
