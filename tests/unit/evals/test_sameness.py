"""The leak gate of pictures: copies, near copies, plain grounds, and groups for a split."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from metier.evals.items import seal
from metier.evals.leaks import drop_leaks
from metier.evals.sameness import near_groups, of_pictures, scan_pictures
from metier.messages import Example
from metier.picturefeatures import Trace, resized, trace
from metier.picturing import Picture


def photo(seed: int, side: int = 48) -> NDArray[np.uint8]:
    """A picture with large shapes, unlike any other."""
    chance = np.random.default_rng(seed)
    coarse = chance.integers(0, 256, (6, 6, 3)).astype(np.uint8)
    return np.rint(resized(coarse, side, side)).astype(np.uint8)


def picture(array: NDArray[np.uint8]) -> Picture:
    """An array as a picture."""
    return Picture(array.shape[1], array.shape[0], np.ascontiguousarray(array).tobytes())


def examples(*pictures: Picture, label: str = "a") -> list[Example]:
    """Rows of some pictures."""
    return [Example(one.digest, label, row=row) for row, one in enumerate(pictures, 1)]


def traces(*pictures: Picture) -> dict[str, Trace]:
    """Their traces."""
    return {one.digest: trace(one) for one in pictures}


TRAIN = [picture(photo(seed)) for seed in range(30)]


def test_a_copy_and_a_near_copy_are_leaks() -> None:
    smaller = picture(np.rint(resized(photo(1), 40, 40)).astype(np.uint8))
    lighter = picture(np.clip(photo(2).astype(int) + 4, 0, 255).astype(np.uint8))
    own = [picture(photo(seed)) for seed in range(100, 110)]
    items = [TRAIN[0], smaller, lighter, *own]
    found = scan_pictures(examples(*TRAIN), examples(*items), traces(*TRAIN, *items))
    assert found.leaked == (0, 1, 2)
    assert found.report.by_kind == {"exact": 1, "near-duplicate": 2}
    assert found.report.blocks_win
    assert set(found.sources) >= {0, 1, 2}
    assert {row.kind for row in found.report.rows} == {"exact", "near-duplicate"}
    kept, left = drop_leaks(examples(*TRAIN), found)
    assert (len(kept), left.leaked, left.blocks_win) == (27, 0, False)


def test_mirrored_and_other_pictures_are_none() -> None:
    mirrored = [picture(photo(seed)[:, ::-1]) for seed in range(10)]
    found = scan_pictures(examples(*TRAIN), examples(*mirrored), traces(*TRAIN, *mirrored))
    assert (found.leaked, found.report.leaked) == ((), 0)
    assert "mirrored" in found.report.method


def test_pictures_that_are_alike_by_nature_are_told_and_not_counted() -> None:
    def plain(seed: int) -> Picture:
        chance = np.random.default_rng(seed)
        return picture((240 + chance.integers(-2, 3, (40, 40, 3))).astype(np.uint8))

    train, items = [plain(seed) for seed in range(40)], [plain(seed) for seed in range(50, 60)]
    found = scan_pictures(examples(*train), examples(*items), traces(*train, *items))
    assert found.report.leaked == 0
    assert found.report.similar == len(found.similar) == 10
    assert found.report.similar_among_train == 1.0


def test_one_picture_with_two_labels_is_a_conflict() -> None:
    rows = [*examples(TRAIN[0], TRAIN[1]), *examples(TRAIN[0], label="b")]
    found = scan_pictures(rows, examples(TRAIN[1], label="c"), traces(*TRAIN[:2]))
    assert found.report.conflicting_labels == 2
    assert found.report.duplicate_train_rows == 1


def test_near_copies_share_a_group() -> None:
    smaller = picture(np.rint(resized(photo(1), 40, 40)).astype(np.uint8))
    rows = [TRAIN[0], TRAIN[1], smaller, TRAIN[2], TRAIN[0]]
    groups = near_groups([one.digest for one in rows], traces(*rows))
    assert groups[1] == groups[2] is not None
    assert groups[0] == groups[4] is not None
    assert groups[3] is None


def test_an_eval_of_pictures_is_told_from_one_of_texts() -> None:
    assert of_pictures(seal(examples(*TRAIN[:3])).items)
    assert not of_pictures(seal([Example("sha256:short", "a")]).items)
