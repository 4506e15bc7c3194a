"""Rows of pictures: sources, decoding, split and leak gate, in that order.

It knows that a row's text is the digest of its picture and that the pictures themselves go into a
pack of the cache, from which every view is made; it computes no feature but the trace that tells
near-duplicates. Files that cannot be decoded are named, up to twenty, and nothing is made.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from metier.datasets.pictures import PictureFile, PictureFiles, picture_files
from metier.datasets.problems import Problem, Problems
from metier.datasets.recognising import check_labels
from metier.datasets.sources import resolve
from metier.datasets.splitting import divide
from metier.errors import InputError, MetierError
from metier.evals.items import Eval, seal
from metier.evals.sameness import near_groups, scan_pictures
from metier.making.rows import (
    Places,
    Read,
    Rows,
    recorded,
    sealed_rows,
    source_of,
)
from metier.messages import Example, Progress, Report
from metier.picturefeatures import Trace, trace
from metier.pictures import Pack, Reader, write_pack
from metier.picturing import Picture
from metier.recipe import DataPart, Recipe

_QUIET = 0.5
"""Seconds between two reports of decoding."""
_VERSION = "v1"
"""Of the decoder and the trace: another one makes other packs."""


@dataclass(frozen=True)
class Decoded:
    """The pictures of one source: digests in order, and how each is told from the others."""

    digests: tuple[str, ...]
    traces: dict[str, Trace]
    notes: tuple[str, ...]


def gather_pictures(recipe: Recipe, places: Places, report: Report) -> Rows:
    """Read, decode, split, seal and scan.

    Raises:
        InputError: A file is no picture, or the rows are wrong; the message says which.
        UnavailableError: A source cannot be reached, or nothing decodes here.
    """
    report(Progress("data", "Reading the pictures."))
    read, traces = _read(recipe, places, report)

    def groups(inside: Sequence[Example]) -> list[str | None]:
        near = near_groups([item.text for item in inside], traces)
        return [item.group or one for item, one in zip(inside, near, strict=True)]

    return sealed_rows(
        recipe,
        read,
        report,
        words=("pictures", "eval pictures"),
        scan=lambda train, evaluation: scan_pictures(train, evaluation, traces),
        groups=groups,
    )


def seal_pictures(path: Path, places: Places, report: Report, *, scorer: str) -> Eval:
    """Labelled pictures of one's own as a sealed eval; their pack stays in the cache.

    Of a source with a split the held-out part is taken.

    Raises:
        InputError: A file is no picture, or nothing is labelled.
    """
    part = DataPart(kind="dir" if path.is_dir() else "file", path=str(path.absolute()))
    rows = resolve(part, folder=places.folder, mirror=None, cache=places.cache, report=report)
    listed = picture_files(rows.path, name=path.name)
    kept = places.cache / "pictures" / f"{rows.sha256}-{_VERSION}"
    again = not listed.complete
    decoded = decode_all(
        listed.files, places.decoder, kept, name=path.name, again=again, report=report
    )
    every = [
        (file.split, Example(digest, file.label, file.group, None, file.number))
        for digest, file in zip(decoded.digests, listed.files, strict=True)
    ]
    for wanted in ("test", "valid"):
        held = [example for split, example in every if split == wanted]
        if held:
            return seal(held, scorer=scorer)
    return seal([example for _, example in every], scorer=scorer)


def _read(recipe: Recipe, places: Places, report: Report) -> tuple[Read, dict[str, Trace]]:
    examples: list[Example] = []
    splits: list[str] = []
    notes: list[str] = []
    sources: list[str] = []
    parts: list[DataPart] = []
    found: dict[str, str] = {}
    traces: dict[str, Trace] = {}
    for part in recipe.data:
        sha256, listed, decoded = _of_part(part, recipe, places, report)
        traces |= decoded.traces
        examples += [
            Example(digest, file.label, file.group, None, file.number)
            for digest, file in zip(decoded.digests, listed.files, strict=True)
        ]
        splits += [_split(part, file, recipe) for file in listed.files]
        notes += [*listed.notes, *decoded.notes]
        sources.append(source_of(part))
        parts.append(recorded(part, sha256))
        if part.kind != "git":
            found[sha256] = str((places.folder / (part.path or "")).absolute())
    check_labels(recipe.specialist.name, "label", _counted(examples), examples)
    given = splits if any(splits) else None
    if given is None:
        near = near_groups([item.text for item in examples], traces)
        examples = [
            replace(item, group=item.group or group)
            for item, group in zip(examples, near, strict=True)
        ]
    division = divide(
        examples,
        given,
        recipe.split,
        seed=recipe.ladder.seed,
        out_of_scope_label=recipe.specialist.out_of_scope_label,
    )
    read = Read(
        division=division,
        notes=(*notes, *division.notes),
        sources=tuple(sources),
        recipe=recipe.model_copy(update={"data": tuple(parts)}),
        located=found,
    )
    return read, traces


def _of_part(
    part: DataPart, recipe: Recipe, places: Places, report: Report
) -> tuple[str, PictureFiles, Decoded]:
    """The digest of one source, its labelled files and their pictures."""
    rows = resolve(
        part,
        folder=places.folder,
        mirror=places.mirror,
        cache=places.cache,
        report=report,
        confined=places.confined,
    )
    name = Path(part.path).name if part.path and part.kind != "git" else part.url or "the rows"
    listed = picture_files(
        rows.path,
        name=name,
        text=recipe.split.text,
        label=recipe.split.label,
        group=recipe.split.group,
        confined=places.confined,
    )
    kept = places.cache / "pictures" / f"{rows.sha256}-{_VERSION}"
    again = not listed.complete
    decoded = decode_all(listed.files, places.decoder, kept, name=name, again=again, report=report)
    return rows.sha256, listed, decoded


def decode_all(
    files: Sequence[PictureFile],
    decoder: Reader | None,
    kept: Path,
    *,
    name: str,
    again: bool,
    report: Report,
) -> Decoded:
    """The pictures of a source, decoded once and kept in a pack.

    Args:
        files: The source's pictures.
        decoder: Decodes them.
        kept: Path of the pack without its ending, named by the digest of the source.
        name: What people call the source.
        again: Decode even if a pack is there: its name does not stand for every pixel.
        report: Told how far it is.

    Raises:
        InputError: Some cannot be decoded; the first twenty are named.
    """
    pack, facts = kept.with_suffix(".pictures"), kept.with_suffix(".json")
    known = None if again else _known(pack, facts, len(files))
    if known is not None:
        return known
    if decoder is None:
        raise AssertionError("pictures are gathered without a decoder")
    problems = Problems(Path(name).name)
    digests: list[str] = []
    traces: dict[str, Trace] = {}
    told: dict[str, int] = {}

    def decoded() -> Iterator[Picture]:
        for picture in _each(files, decoder, problems, report):
            digests.append(picture.digest)
            traces.setdefault(picture.digest, trace(picture))
            for note in picture.notes:
                told[note] = told.get(note, 0) + 1
            yield picture

    write_pack(pack, decoded())
    if problems.count:
        pack.unlink(missing_ok=True)
        problems.raise_if_any()
    notes = tuple(f"{count:,} pictures: {note}." for note, count in sorted(told.items()))
    document = {
        "digests": digests,
        "traces": {key: [one.hash, one.thumb.hex()] for key, one in traces.items()},
        "notes": list(notes),
    }
    written = facts.with_suffix(".part")
    written.write_text(json.dumps(document), encoding="utf-8")
    written.replace(facts)
    return Decoded(tuple(digests), traces, notes)


def _each(
    files: Sequence[PictureFile], decoder: Reader, problems: Problems, report: Report
) -> Iterator[Picture]:
    last = time.monotonic()
    for number, file in enumerate(files, start=1):
        try:
            content = file.read()
            if isinstance(content, bytes):
                content = decoder.decode(content, where=file.place)
        except InputError as error:
            what = error.message.rstrip(".")
            remedy = error.remedy or "Take it out."
            problems.add(Problem(error.code, number, "picture", what, remedy))
            continue
        yield content
        now = time.monotonic()
        if now - last > _QUIET:
            last = now
            message = f"{number:,} of {len(files):,} pictures decoded."
            report(Progress("data", message, fraction=None, data={"of": len(files)}))


def _known(pack: Path, facts: Path, number: int) -> Decoded | None:
    """What an earlier run decoded of the very same bytes."""
    try:
        document = json.loads(facts.read_bytes())
        traces = {
            key: Trace(int(one), bytes.fromhex(thumb))
            for key, (one, thumb) in document["traces"].items()
        }
        found = Decoded(tuple(document["digests"]), traces, tuple(document["notes"]))
        held = Pack(pack)
    except (OSError, ValueError, KeyError, TypeError, MetierError):
        return None
    whole = len(found.digests) == number and all(digest in held for digest in found.digests)
    return found if whole else None


def _split(part: DataPart, file: PictureFile, recipe: Recipe) -> str:
    if part.role == "train":
        return recipe.split.train[0]
    return recipe.split.eval[0] if part.role == "eval" else file.split


def _counted(examples: Sequence[Example]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for item in examples:
        counts[item.label] = counts.get(item.label, 0) + 1
    return counts
