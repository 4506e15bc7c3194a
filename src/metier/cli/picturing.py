"""``metier run`` of a classifier of pictures: files in, labels out.

It reads the files that a person names and shows the labels; what a file must be is said by those
who decode it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from metier.assembly import Metier
from metier.cli import terminal
from metier.cli.answers import one_answer, several_answers
from metier.cli.documents import prediction_document
from metier.cli.failures import print_json
from metier.errors import InputError, NotFoundError
from metier.picturing import MOST_BYTES

_BATCH = 32


def classify_pictures(
    metier: Metier, name: str, paths: Sequence[Path], *, top: int | None, as_json: bool
) -> None:
    """Label the pictures in some files; each is named where it is wrong.

    Raises:
        InputError: No file is named (``no_picture``), or one is no picture.
        NotFoundError: A file is not there (``no_file``).
    """
    if not paths:
        raise InputError(
            "There is no picture to ask about.",
            code="no_picture",
            remedy=f"Write: metier run {name} --image FILE; several files are possible.",
        )
    documents = []
    screen = terminal.stdout()
    for start in range(0, len(paths), _BATCH):
        batch = paths[start : start + _BATCH]
        pictures = [metier.picturing.reader.decode(_read(path), where=str(path)) for path in batch]
        answers = metier.picturing.classify_decoded(name, pictures, top=top or 3)
        shown = [str(path) for path in batch]
        if as_json:
            for path, picture, answer in zip(shown, pictures, answers, strict=True):
                document = prediction_document(path, answer)
                document["file"] = document.pop("text")
                document["notes"] = list(picture.notes)
                documents.append(document)
        elif len(paths) == 1:
            screen.write(one_answer(answers[0], top or 3))
        else:
            screen.write(several_answers(shown, answers, top or 1), cut=True)
    if as_json:
        print_json({"name": name, "predictions": documents})


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {str(path)!r}.", code="no_file") from error
    except OSError as error:
        raise InputError(
            f"{str(path)!r} cannot be read: {error.strerror}.", code="no_file"
        ) from error
