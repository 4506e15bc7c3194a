"""Opens a Hugging Face folder: its JSON files within limits, and its tensors across shards.

It knows which files such a folder has and refuses those that would have to be run (pickles, code);
it does not know what a tensor or a setting means.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from metier.conversion.tensors import TensorFile, TensorPlace, open_tensors
from metier.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]
    Rows = NDArray[np.intp]

MOST_JSON_BYTES = 128 << 20
MOST_TEMPLATE_BYTES = 1 << 20
INDEX = "model.safetensors.index.json"
WEIGHTS = "model.safetensors"
_STORED = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}


@dataclass(frozen=True, slots=True)
class StoredTensors:
    """The tensors of a folder, whichever file each lies in.

    Attributes:
        files: Tensor name to the file that holds it.
    """

    files: Mapping[str, TensorFile]

    def place(self, name: str) -> TensorPlace:
        """Type, shape and place of a tensor."""
        return self.files[name].places[name]

    def where(self, name: str) -> str:
        """The name of the file that holds a tensor."""
        return self.files[name].path.name

    def rows(self, name: str, order: Rows) -> FloatArray:
        """The rows of a tensor at ``order`` as float32.

        What lies between the first and the last of them is read, not mapped: pages of a mapped
        file count as the process's memory until somebody needs them.

        Raises InputError (``bad_model_folder``) if the file has become shorter.
        """
        place = self.place(name)
        rest = place.shape[1:]
        first, count = int(order.min()), int(order.max()) - int(order.min()) + 1
        row_bytes = place.length // place.shape[0]
        with self.files[name].path.open("rb") as stream:
            stream.seek(place.offset + first * row_bytes)
            raw = stream.read(count * row_bytes)
        if len(raw) != count * row_bytes:
            raise refuse(f"{self.where(name)} became shorter while it was read.")
        found = np.frombuffer(raw, _STORED[place.dtype]).reshape(count, *rest)
        chosen = found[order - first]
        if place.dtype == "BF16":
            return (chosen.astype(np.uint32) << np.uint32(16)).view(np.float32)
        return chosen.astype(np.float32)


def refuse(
    message: str, remedy: str | None = None, *, code: str = "bad_model_folder"
) -> InputError:
    """The error about a folder that cannot be converted."""
    return InputError(message, code=code, remedy=remedy)


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        NotFoundError: It is not there (code ``file_missing``).
        InputError: It is too large or no JSON object (``bad_model_folder``).
    """
    if not path.is_file():
        raise NotFoundError(
            f"{path.parent.name} has no {path.name}.",
            code="file_missing",
            remedy="Fetch the whole folder; without this file the weights mean nothing.",
        )
    if path.stat().st_size > MOST_JSON_BYTES:
        raise refuse(f"{path.name} is larger than {MOST_JSON_BYTES >> 20} MiB.")
    try:
        found = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise refuse(f"{path.name} is not JSON: {error}.") from error
    if not isinstance(found, dict):
        raise refuse(f"{path.name} is not a JSON object.")
    return found


def read_optional(path: Path) -> dict[str, Any]:
    """The JSON object in a file, empty if there is no such file."""
    return read_object(path) if path.is_file() else {}


def read_text(path: Path) -> str | None:
    """The text of a file, ``None`` if there is none; InputError if it is long or no UTF-8."""
    if not path.is_file():
        return None
    if path.stat().st_size > MOST_TEMPLATE_BYTES:
        raise refuse(f"{path.name} is larger than {MOST_TEMPLATE_BYTES >> 20} MiB.")
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise refuse(f"{path.name} is not UTF-8.") from error


def refuse_code(name: str, settings: Mapping[str, Any]) -> None:
    """Refuse settings that name code to be run."""
    if settings.get("auto_map"):
        raise refuse(
            f"{name} has an auto_map: the model brings code of its own, which is never run.",
            "Take a model of the llama, qwen2 or qwen3 family without code.",
            code="remote_code",
        )


def open_weights(folder: Path) -> StoredTensors:
    """The tensors of a model, in one file or in the shards that its index lists.

    Raises:
        InputError: No safetensors, or an index that does not fit its shards.
        CorruptError: A file is not sound (``bad_safetensors``).
    """
    if (folder / INDEX).is_file():
        return _open_shards(folder)
    if (folder / WEIGHTS).is_file():
        return one_file(folder / WEIGHTS)
    pickles = sorted(
        path.name for suffix in ("bin", "pt", "pth") for path in folder.glob(f"*.{suffix}")
    )
    if pickles:
        raise refuse(
            f"{folder.name} has its weights as a pickle ({pickles[0]}), which can run code.",
            "Take the model in safetensors format.",
            code="pickled_weights",
        )
    raise refuse(f"{folder.name} has no {WEIGHTS} and no {INDEX}.", "Fetch the whole folder.")


def one_file(path: Path) -> StoredTensors:
    """The tensors of one file, all of a floating-point type that is known here."""
    opened = open_tensors(path)
    return _checked(dict.fromkeys(opened.places, opened))


def _open_shards(folder: Path) -> StoredTensors:
    listed = read_object(folder / INDEX).get("weight_map")
    if not isinstance(listed, dict) or not listed:
        raise refuse(f"{INDEX} has no weight_map.")
    files: dict[str, TensorFile] = {}
    opened: dict[str, TensorFile] = {}
    for tensor, name in listed.items():
        if (
            not isinstance(name, str)
            or Path(name).name != name
            or not name.endswith(".safetensors")
        ):
            raise refuse(f"{INDEX} puts {tensor!r} into {name!r}, which is no file of the folder.")
        if name not in opened:
            if not (folder / name).is_file():
                raise refuse(f"{INDEX} names {name}, which is missing.", "Fetch the whole folder.")
            opened[name] = open_tensors(folder / name)
        if tensor not in opened[name].places:
            raise refuse(f"{name} has no tensor {tensor!r}, though {INDEX} says so.")
        files[tensor] = opened[name]
    for name, file in opened.items():
        stray = sorted(set(file.places) - set(files))
        if stray:
            raise refuse(f"{name} holds {stray[0]!r}, which {INDEX} does not list.")
    return _checked(files)


def _checked(files: dict[str, TensorFile]) -> StoredTensors:
    for name, file in files.items():
        if file.places[name].dtype not in _STORED:
            raise refuse(
                f"{name!r} in {file.path.name} is stored as {file.places[name].dtype}.",
                "Only F32, F16 and BF16 are converted; take the model before it was quantised.",
            )
    return StoredTensors(files)
