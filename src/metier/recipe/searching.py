"""The recipe of a document pack: which markdown, of which version, searched with which encoder.

It knows the fields; it reads no document. Where the bytes come from is pinned: a commit or a
package version, and the digest of the chosen files.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from metier.card import Frozen
from metier.recipe.domains import GENERAL
from metier.recipe.identity import build_id, recipe_id
from metier.recipe.naming import Commit, Named, Sha256
from metier.recipe.parsing import parsed
from metier.reference import Digest

MARKDOWN = ("**/*.md", "**/*.mdx", "**/*.markdown")
"""What is taken where ``paths`` says nothing."""


class SearchSpecialist(Frozen):
    """What is made: name, domain and a sentence for people."""

    name: Named
    version: str = "1"
    task: Literal["search"] = "search"
    domain: str = GENERAL
    description: str = ""
    licence: str | None = None


class SearchBase(Frozen):
    """The encoder that the passages are embedded with; ``None`` searches by words only."""

    ref: Named | None = "all-minilm-l6-v2"
    alternatives: tuple[Named, ...] = Field(default=(), max_length=20)


class DocumentPart(Frozen):
    """One source of markdown.

    Attributes:
        kind: ``dir`` (a folder beside the recipe), ``git`` (a commit), ``npm`` (a package).
        path: The folder, from the recipe's; in a repository or package the folder that ``paths``
            start from.
        url: Of the repository: ``https``, ``ssh`` or ``file``.
        commit: The full commit.
        package: The npm package's name.
        release: Its exact version.
        integrity: Its ``sha512-…`` as the registry and lock files have it.
        paths: Globs of the files that are taken; a leading ``!`` leaves out.
        files_sha256: SHA-256 over the sorted lines ``sha256  path`` of the taken files. A mirror
            is addressed by it: any folder that holds those files supplies them.
        version: What is documented: ``svelte@5``.
        address: Pattern of the page that shows a file on the web: ``{path}`` stands for its path
            without ending, ``{name}`` for the path's last part without its number.
        dialect: Whose conventions the markdown follows.
        licence: SPDX name of the documents' licence.
    """

    kind: Literal["dir", "git", "npm"]
    path: str = Field(default="", max_length=500)
    url: str | None = None
    commit: Commit | None = None
    package: str | None = Field(
        default=None, pattern=r"^(@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~-][a-z0-9._~-]*$"
    )
    release: str | None = Field(default=None, pattern=r"^[0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+-]*$")
    integrity: str | None = Field(default=None, pattern=r"^sha512-[A-Za-z0-9+/]{86}==$")
    paths: tuple[str, ...] = Field(default=MARKDOWN, min_length=1, max_length=100)
    files_sha256: Sha256 | None = None
    version: str = Field(default="", max_length=80)
    address: str | None = Field(default=None, pattern=r"^https?://\S+$", max_length=500)
    dialect: Literal["plain", "svelte", "react"] = "plain"
    licence: str | None = None

    @model_validator(mode="after")
    def _names_its_source(self) -> DocumentPart:
        needed = {"dir": ("path",), "git": ("url", "commit"), "npm": ("package", "release")}
        for kind, fields in needed.items():
            given = [name for name in fields if getattr(self, name)]
            if kind == self.kind and len(given) < len(fields):
                raise ValueError(f"a {kind} source needs {' and '.join(fields)}")
            foreign = [name for name in given if name != "path"]
            if kind != self.kind and foreign:
                raise ValueError(f"a {self.kind} source has no {' and no '.join(foreign)}")
        if self.integrity and self.kind != "npm":
            raise ValueError(f"a {self.kind} source has no integrity")
        return self


class SearchAnswer(Frozen):
    """How many passages an answer shows."""

    passages: int = Field(default=5, ge=1, le=50)


class SearchRecipe(Frozen):
    """A whole recipe of task ``search``. See ``docs/formats/recipe.md``."""

    format: Literal[1] = 1
    specialist: SearchSpecialist
    base: SearchBase = SearchBase()
    data: tuple[DocumentPart, ...] = Field(min_length=1, max_length=50)
    answer: SearchAnswer = SearchAnswer()

    @property
    def recipe_id(self) -> Digest:
        """The hash of everything but ``[base]``."""
        return recipe_id(self)

    def build_id(
        self, *, base_digest: str | None, data: tuple[str, ...], toolchain: dict[str, str]
    ) -> Digest:
        """The hash of recipe id, base digest, digests of the sources and toolchain."""
        return build_id(
            self.recipe_id, base_digest=base_digest, data=data, seed=0, toolchain=toolchain
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON- and TOML-serialisable mapping without empty fields."""
        return self.model_dump(mode="json", exclude_none=True)

    @classmethod
    def from_toml(cls, text: str, *, where: str = "the recipe") -> SearchRecipe:
        """Parse a recipe of task ``search``; raises InputError (code ``bad_recipe``)."""
        return parsed(cls, text, where=where)
