"""Names that a recipe or an artifact may mention: tools, toolchains, packs, evals.

A name is only ever a name: it is looked up among what this machine has installed, and it can be
no path, no address and no code.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from metier.errors import InputError
from metier.reference import Reference


def _reference(name: str) -> str:
    try:
        Reference.parse(name)
    except InputError as error:
        raise ValueError(error.message) from error
    return name


Named = Annotated[str, AfterValidator(_reference)]
"""The name of a specialist, a pack or a base in the store."""

PluginName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
"""The name of a tool plugin or of an eval."""

ToolchainName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}@[0-9]{1,3}$")]
"""A toolchain and its major version: ``svelte@5``."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""64 hexadecimal digits."""

Commit = Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
"""A full git commit."""
