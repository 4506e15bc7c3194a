"""A recipe's identity: hashes that say "the same recipe" and "the same build".

The *recipe id* is the hash of everything but ``[base]``; the *build id* adds base, data digests,
seed and toolchain, so that "the same recipe on another base" is a fact, not a claim.
"""

from __future__ import annotations

from pydantic import BaseModel

from metier.manifest import canonical_json
from metier.reference import Digest


def recipe_id(recipe: BaseModel) -> Digest:
    """The hash of a recipe, defaults filled in, without its ``[base]``."""
    return Digest.of(canonical_json(recipe.model_dump(mode="json", exclude={"base"})))


def build_id(
    recipe: Digest,
    *,
    base_digest: str | None,
    data: tuple[str, ...],
    seed: int,
    toolchain: dict[str, str],
) -> Digest:
    """The hash of recipe id, base digest, data digests, seed and toolchain."""
    return Digest.of(
        canonical_json(
            {
                "recipe": str(recipe),
                "base": base_digest,
                "data": list(data),
                "seed": seed,
                "toolchain": toolchain,
            }
        )
    )
