"""The verbs as functions, over the home folder that the environment names.

It opens one ``Metier`` a process and hands arguments on; programs that need more (another home,
progress, cancelling) use ``metier.Metier`` itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from metier.assembly import Metier
from metier.card import Card, Evidence
from metier.coding import Checked, SourceFile
from metier.conversing import Passage, Reply, Turn, base_of
from metier.examine import Examined
from metier.fleet import Installed
from metier.messages import Prediction, Report, silent


@lru_cache(maxsize=1)
def opened() -> Metier:
    """The process's own ``Metier``."""
    return Metier.open()


def make(
    data: str | Path,
    *,
    name: str,
    domain: str = "general",
    eval_file: str | Path | None = None,
    budget: float | None = None,
    seed: int = 0,
    drop_leaks: bool = False,
    report: Report = silent,
) -> Card:
    """Make, prove and install a text classifier.

    Args:
        data: Labelled rows: JSON Lines, JSON, CSV, TSV, or a folder of texts per label.
        name: What to call it.
        domain: What it is for, in a word or two; the router goes by it.
        eval_file: Sealed rows in a file of their own; else the rows' own split, or a fifth.
        budget: Wall seconds for everything, or ``None``.
        seed: Of every choice that chance makes.
        drop_leaks: Take training rows that overlap the eval out.
        report: Receives progress.

    Raises:
        InputError: The rows are wrong; the message says which, what and how to mend it.
    """
    metier = opened()
    recipe = metier.recipe_for(
        Path(data),
        name=name,
        domain=domain,
        eval_file=Path(eval_file) if eval_file is not None else None,
        budget=budget,
        seed=seed,
        drop_leaks=drop_leaks,
    )
    return metier.make(recipe, folder=Path.cwd(), report=report)


def classify(name: str, texts: Sequence[str], *, top: int = 5) -> list[Prediction]:
    """One prediction per text; raises NotFoundError if there is no such specialist."""
    return opened().classify(name, texts, top=top)


def evaluate(name: str, *, on: str, against: Sequence[str] = ()) -> Examined:
    """Run a specialist, and its rivals, on an eval; see ``Metier.evaluate``."""
    return opened().evaluate(name, on=on, against=against)


def compare(first: str, second: str, *, on: str) -> Evidence:
    """The evidence of two systems on one eval."""
    return opened().compare(first, second, on=on)


def search(name: str, query: str, *, top: int = 5) -> list[Passage]:
    """The best passages of a document pack; raises NotFoundError if there is no such pack."""
    return opened().search(name, query, top=top)


def answer(name: str, question: str, *, base: str | Path | None = None) -> Reply:
    """A chat specialist's reply to a question; see ``Metier.answer``.

    Args:
        name: The specialist.
        question: What is asked.
        base: What writes: ``remote:NAME``, an installed model, a GGUF file; ``None`` takes
            ``METIER_BASE``, and without any it answers from documents and tools.
    """
    base = base_of(base) if isinstance(base, str) else base
    return opened().answer(name, [Turn("user", question)], base=base)


def check(name: str, files: Mapping[str, str]) -> Checked:
    """What a chat specialist's tool finds in files, path to text; nothing is executed."""
    return opened().check(name, [SourceFile(path, text) for path, text in files.items()])


def installed() -> Sequence[Installed]:
    """Everything that is here."""
    return opened().list()
