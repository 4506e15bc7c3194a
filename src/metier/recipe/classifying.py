"""The recipe of a classifier of texts or of pictures: rows, split, ladder, thresholds, eval.

It knows the fields and their defaults; a field added here changes the id of every recipe, so
none is added without a new format. It reads no files and fetches nothing.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from metier.card import Frozen
from metier.recipe.domains import GENERAL
from metier.recipe.identity import build_id, recipe_id
from metier.recipe.parsing import parsed
from metier.reference import Digest, Reference

RUNGS = ("majority", "linear", "static", "encoder", "ensemble")
"""The rungs of the text-classification ladder, from cheap to dear (DESIGN §6)."""
PICTURE_RUNGS = ("majority", "features", "encoder", "ensemble")
"""Those of pictures: most frequent label, colours and gradients, a frozen vision encoder, both."""
PICTURES = "classify-image"


class SpecialistPart(Frozen):
    """What is made: name, task, domain and a sentence for people."""

    name: str
    version: str = "1"
    task: Literal["classify", "classify-image"] = "classify"
    domain: str = GENERAL
    description: str = ""
    licence: str | None = None
    out_of_scope_label: str | None = None

    @model_validator(mode="after")
    def _name_is_valid(self) -> SpecialistPart:
        if Reference.parse(self.name).side:
            raise ValueError("a name with '@' is only ever given by a hop")
        return self


class BasePart(Frozen):
    """The base it is made from, and others that would do; of pictures none unless named."""

    ref: str | None = "all-minilm-l6-v2"
    alternatives: tuple[str, ...] = ()


class UpstreamFile(Frozen):
    """One upstream file and the digest of its bytes."""

    path: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class GitRepository(Frozen):
    """One of several repositories that a converter reads together.

    ``paths`` are globs (``*`` stays inside a folder, ``**`` does not, a leading ``!`` leaves out);
    the full commit pins the bytes of all of them. With ``limit`` at most so many files of each
    glob are taken, those whose path has the smallest SHA-256. ``split`` is handed to the converter.
    """

    url: str
    commit: str = Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")
    paths: tuple[str, ...] = Field(min_length=1)
    limit: int | None = Field(default=None, ge=1)
    split: str = "train"
    licence: str | None = None


class DataPart(Frozen):
    """One source of rows.

    ``file`` and ``dir`` are paths beside the recipe; ``git`` is a repository at a commit, or
    several ``repositories`` that one converter reads together.
    ``rows_sha256`` is the digest of the canonical rows (JSON Lines, UTF-8) that the converter
    makes of the upstream files: a mirror is addressed by it. ``role`` says what its rows are for;
    ``both`` leaves it to the rows' own split, or to chance.
    """

    kind: Literal["file", "dir", "git"]
    role: Literal["both", "train", "eval"] = "both"
    url: str | None = None
    commit: str | None = Field(default=None, pattern=r"^[0-9a-f]{7,64}$")
    path: str | None = None
    files: tuple[UpstreamFile, ...] = ()
    repositories: tuple[GitRepository, ...] = ()
    converter: str = "auto"
    rows_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    licence: str | None = None

    @model_validator(mode="after")
    def _names_its_source(self) -> DataPart:
        single = bool(self.url and self.commit and (self.files or self.path))
        if self.kind == "git" and single == bool(self.repositories):
            raise ValueError("a git source needs url, commit and files or path, or repositories")
        if self.repositories and (self.kind != "git" or self.url or self.files or self.path):
            raise ValueError("repositories stand alone in a git source")
        if self.kind in ("file", "dir") and not self.path:
            raise ValueError(f"a {self.kind} source needs a path")
        return self


class SplitPart(Frozen):
    """Which rows train and which are sealed.

    ``train`` and ``eval`` name values of the rows' ``split`` field; rows with other values are
    left out. Where the rows have no split, ``eval_share`` is set aside, stratified by label and
    grouped by ``group``.
    """

    train: tuple[str, ...] = ("train",)
    eval: tuple[str, ...] = ("test",)
    eval_share: float = Field(default=0.2, gt=0.0, lt=0.9)
    text: str | None = None
    label: str | None = None
    group: str | None = None
    per_class: int | None = Field(default=None, ge=1)
    drop_leaks: bool = False


class LadderPart(Frozen):
    """Which rungs are tried, for how long, and the stop rule's margin (a share of 1)."""

    rungs: tuple[str, ...] = RUNGS
    budget_seconds: float | None = Field(default=None, gt=0)
    margin: float = Field(default=0.01, gt=0, lt=0.5)
    seed: int = Field(default=0, ge=0)
    curve: bool = True

    @model_validator(mode="after")
    def _rungs_exist(self) -> LadderPart:
        known = (*RUNGS, "features")
        unknown = [rung for rung in self.rungs if rung not in known]
        if unknown or not self.rungs:
            raise ValueError(f"rungs must be some of {', '.join(known)}; got {unknown}")
        return self


class AnswerPart(Frozen):
    """How it answers: the accuracy that the abstain threshold aims at."""

    target_accuracy: float = Field(default=0.95, gt=0, lt=1)
    false_alarms: float = Field(default=0.05, gt=0, lt=1)


class EvalPart(Frozen):
    """What the eval measures and what it takes to pass."""

    scorer: Literal["accuracy"] = "accuracy"
    against: tuple[Literal["majority", "base", "general"], ...] = ("majority", "base", "general")
    margin: float = Field(default=0.01, gt=0, lt=0.5)


class Recipe(Frozen):
    """A whole recipe. See ``docs/formats/recipe.md``."""

    format: Literal[1] = 1
    specialist: SpecialistPart
    base: BasePart = BasePart()
    data: tuple[DataPart, ...] = Field(min_length=1)
    split: SplitPart = SplitPart()
    ladder: LadderPart = LadderPart()
    answer: AnswerPart = AnswerPart()
    eval: EvalPart = EvalPart()

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_pictures(cls, document: Any) -> Any:
        """Pictures have their own ladder, and no base that everybody has."""
        if not isinstance(document, dict) or _task(document.get("specialist")) != PICTURES:
            return document
        filled = dict(document)
        filled.setdefault("base", {"ref": None})
        if isinstance(filled["base"], dict):
            filled["base"] = {"ref": None, **filled["base"]}
        filled.setdefault("ladder", {})
        if isinstance(filled["ladder"], dict):
            filled["ladder"] = {"rungs": PICTURE_RUNGS, **filled["ladder"]}
        return filled

    @model_validator(mode="after")
    def _rungs_fit_the_task(self) -> Recipe:
        rungs = PICTURE_RUNGS if self.of_pictures else RUNGS
        strange = [rung for rung in self.ladder.rungs if rung not in rungs]
        if strange:
            raise ValueError(f"ladder.rungs of this task are {', '.join(rungs)}; got {strange}")
        if not self.of_pictures and self.base.ref is None:
            raise ValueError("base.ref is missing")
        return self

    @property
    def of_pictures(self) -> bool:
        """Whether its rows are pictures."""
        return self.specialist.task == PICTURES

    @property
    def recipe_id(self) -> Digest:
        """The hash of everything but ``[base]``."""
        return recipe_id(self)

    def build_id(
        self, *, base_digest: str | None, data: tuple[str, ...], toolchain: dict[str, str]
    ) -> Digest:
        """The hash of recipe id, base digest, data digests, seed and toolchain."""
        return build_id(
            self.recipe_id,
            base_digest=base_digest,
            data=data,
            seed=self.ladder.seed,
            toolchain=toolchain,
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON- and TOML-serialisable mapping without empty fields."""
        return self.model_dump(mode="json", exclude_none=True)

    @classmethod
    def from_toml(cls, text: str, *, where: str = "the recipe") -> Recipe:
        """Parse a classifier's recipe; raises InputError (code ``bad_recipe``)."""
        return parsed(cls, text, where=where)


def _task(specialist: Any) -> object:
    return (
        specialist.get("task") if isinstance(specialist, dict) else getattr(specialist, "task", "")
    )
