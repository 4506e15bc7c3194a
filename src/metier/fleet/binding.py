"""Whether an adapter belongs to a base: by architecture, by every tensor's shape, by its rank.

It knows how llama.cpp names and multiplies the two halves of a LoRA tensor; it reads headers only.
A pairing that would load but says something else about itself is not refused here: see ``doubts``.
Source: llama.cpp, ``llama-adapter.cpp``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NoReturn

from metier.errors import InputError
from metier.formats import GgufFacts, GgufHeader, GgufTensor, describe

_A, _B = ".lora_a", ".lora_b"
_EMBEDDING = "token_embd.weight"


def refuse_wrong_pairing(
    adapter: GgufHeader, base: Sequence[GgufHeader], *, adapter_name: str, base_name: str
) -> int:
    """Refuse an adapter that was made for another base.

    Args:
        adapter: Its header.
        base: Headers of the base's files.
        adapter_name: As people know it.
        base_name: As people know it.

    Returns:
        The adapter's rank, the largest of its tensors'.

    Raises:
        InputError: Code ``wrong_base`` with the reason; ``bad_gguf`` if it is no LoRA adapter.
    """
    facts, base_facts = describe(adapter), describe(base[0], base[1:])
    if facts.kind != "adapter" or facts.adapter_type.lower() != "lora":
        _no_adapter(adapter_name, "it does not say that it is a LoRA adapter")
    if facts.architecture != base_facts.architecture:
        _wrong(
            adapter_name,
            base_name,
            f"it is for {facts.architecture or 'no'} models, the base is a "
            f"{base_facts.architecture} model",
        )
    weights = {tensor.name: tensor.shape for each in base for tensor in each.tensors}
    pairs = _pairs(adapter.tensors, adapter_name)
    if not pairs:
        _no_adapter(adapter_name, "it has no tensors")
    for name, (first, second) in pairs.items():
        shape = weights.get(name)
        if shape is None:
            _wrong(adapter_name, base_name, f"it changes the tensor {name}, which the base lacks")
        changed, rank = _product(name, first, second)
        if rank is None:
            _no_adapter(adapter_name, f"the two halves of {name} do not fit each other")
        if shape[:2] != changed or shape[2:] != first[2:]:
            _wrong(
                adapter_name,
                base_name,
                f"the tensor {name} is {_shown(changed)} there and {_shown(shape)} in the base",
            )
    return max(_product(name, *pair)[1] or 0 for name, pair in pairs.items())


def doubts(facts: GgufFacts, named: Iterable[str], known: Iterable[str]) -> list[str]:
    """Sentences about an adapter that fits but names another base.

    Args:
        facts: Of the adapter.
        named: Further names of the base that it says it was made for.
        known: Names that the base at hand goes by.
    """
    wanted = [name for name in (*facts.bases, *named) if name]
    here = {_plain(name) for name in known if name}
    if not wanted or not here or any(_plain(name) in here for name in wanted):
        return []
    named_first = f"The adapter says it was made for {wanted[0]!r}"
    return [f"{named_first}, and the base does not go by that name; its shapes fit."]


def _plain(name: str) -> str:
    """The last part of a name or address, without case, marks and a file's ending."""
    last = name.rstrip("/").rsplit("/", 1)[-1].partition("@")[0].partition(":")[0]
    return re.sub(r"[^a-z0-9]+", "", last.lower().removesuffix(".gguf"))


def _pairs(
    tensors: Sequence[GgufTensor], adapter_name: str
) -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
    """Name of the changed tensor to the shapes of both halves."""
    halves: dict[str, dict[str, tuple[int, ...]]] = {}
    for tensor in tensors:
        half = tensor.name[-len(_A) :]
        if half not in (_A, _B) or len(tensor.shape) not in (2, 3):
            _no_adapter(adapter_name, f"the tensor {tensor.name} is no half of a LoRA pair")
        halves.setdefault(tensor.name[: -len(_A)], {})[half] = tensor.shape
    for name, pair in halves.items():
        if len(pair) != 2:
            _no_adapter(adapter_name, f"the tensor {name} has only one half")
    return {name: (pair[_A], pair[_B]) for name, pair in halves.items()}


def _product(
    name: str, first: tuple[int, ...], second: tuple[int, ...]
) -> tuple[tuple[int, int], int | None]:
    """The shape that two halves make, and their rank, or ``None`` if they do not fit.

    The embedding's halves are stored the other way round, because its rows are looked up.
    """
    if first[2:] != second[2:]:
        return (0, 0), None
    if name == _EMBEDDING:
        return (second[1], first[1]), first[0] if first[0] == second[0] else None
    return (first[0], second[1]), first[1] if first[1] == second[0] else None


def _shown(shape: Sequence[int]) -> str:
    return "x".join(str(size) for size in shape)


def _wrong(adapter_name: str, base_name: str, why: str) -> NoReturn:
    raise InputError(
        f"The adapter {adapter_name!r} does not belong to the base {base_name!r}: {why}.",
        code="wrong_base",
        remedy="Name the base that the adapter was made from.",
    )


def _no_adapter(adapter_name: str, why: str) -> NoReturn:
    raise InputError(
        f"{adapter_name!r} is not an adapter that can be used: {why}.",
        code="bad_gguf",
        remedy="Make or fetch the file again.",
    )
