"""A pack on documents that moved: promoted on what changed, put back, and what is reused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from metier import Metier
from metier.assembly.movingdocs import Remembering
from metier.assembly.versions import wanted
from metier.errors import InputError, NotFoundError
from metier.recipe import DocumentPart, SearchRecipe, SearchSpecialist
from metier.settings import Settings

STAY, MOVE = 150, 20
COLOURS = ("amber", "beige", "coral", "ebony", "green", "ivory", "khaki", "lilac", "mauve", "olive")


def page(number: int, said: str) -> str:
    """A page about one thing; what it says differs from page to page."""
    colour = COLOURS[number % len(COLOURS)]
    words = " ".join(f"{said} {colour} {number}x{place}" for place in range(14))
    return f"# The {said} {colour} {number}\n\n{words}.\n"


def write(folder: Path, *said: str) -> Path:
    """So many pages a word: enough that 'not worse' can be shown."""
    folder.mkdir()
    for word in said:
        for number in range(STAY if word == "stay" else MOVE):
            (folder / f"{word}{number:03d}.md").write_text(page(number, word))
    return folder


@pytest.fixture
def metier(tmp_path: Path) -> Iterator[Metier]:
    opened = Metier.open(Settings(home=tmp_path / "home"))
    recipe = opened.pack_recipe(write(tmp_path / "old", "stay", "before"), name="pages")
    opened.make(recipe, folder=tmp_path)
    yield opened
    opened.close()


def test_other_documents_are_promoted_on_what_changed(metier: Metier, tmp_path: Path) -> None:
    new = write(tmp_path / "new", "stay", "after")
    before = metier.show("pages")
    hopped = metier.moving.hop("pages", str(new))
    (ruling,) = hopped.promotion.rulings
    assert (ruling.act, ruling.ground) == ("hop", "win"), ruling.why
    challenger = ruling.challenger
    assert challenger.evidence is not None
    assert challenger.fresh is not None
    assert challenger.fresh.rival_score.value == 0.0, "the old pack does not hold what is new"
    assert challenger.evidence.difference.discordant == 0
    assert metier.show("pages").system != before.system
    assert metier.show("pages@previous").system == before.system
    assert "after" in metier.search("pages", "The after amber 10")[0].text
    sealed = metier.ledger.rows("result", "pages")[0]
    proofs = metier.ledger.rows("evidence", "pages")
    assert sealed.body["changed"] == 20
    assert all(sealed.id < row.id for row in proofs), "sealed before results"
    folder = metier.settings.home / "evals" / "documents"
    assert [path.stem for path in folder.iterdir()] == [sealed.digest.hex]
    results = metier.settings.home / "results"
    assert (results / f"{proofs[0].body['results'][0].removeprefix('sha256:')}.jsonl").is_file()
    metier.hopping.rollback("pages")
    assert metier.show("pages").system == before.system
    assert "before" in metier.search("pages", "The before amber 10")[0].text


def test_documents_that_lost_something_are_not_promoted(metier: Metier, tmp_path: Path) -> None:
    before = metier.show("pages").system
    new = write(tmp_path / "new", "stay")
    for number in range(20):
        heading = f"The stay {COLOURS[number % len(COLOURS)]} {number}"
        for place in range(6):
            text = f"# {heading}\n\n" + f"{heading} {place}. " * 30
            (new / f"noise{number}-{place}.md").write_text(text)
    hopped = metier.moving.hop("pages", str(new))
    (ruling,) = hopped.promotion.rulings
    assert ruling.act == "kept"
    assert metier.show("pages").system == before
    assert metier.show(ruling.challenger.name).pack is not None, "it stands aside"


def test_what_cannot_move_says_why(metier: Metier, tmp_path: Path) -> None:
    told = {}
    for docs in (str(tmp_path / "old"), "kit@3", "kit@33", f"nothing@1={tmp_path}"):
        with pytest.raises((InputError, NotFoundError)) as caught:
            metier.moving.hop("pages", docs)
        told[caught.value.code] = caught.value
    assert set(told) == {"same_documents", "other_documents", "no_version"}
    assert "kit@3" in told["no_version"].message
    assert metier.moving.offers("pages") == ()
    assert metier.moving.offers("nobody") == ()
    assert "kit@3" in metier.moving.versions()
    two = SearchRecipe(
        specialist=SearchSpecialist(name="two"),
        data=(
            DocumentPart(kind="dir", path="a", version="kit@1"),
            DocumentPart(kind="dir", path="b", version="cli"),
        ),
    )
    with pytest.raises(InputError) as caught:
        wanted(str(tmp_path), two)
    assert caught.value.code == "which_documents"
    place, part = wanted(f"cli={tmp_path}", two)
    assert (place, part.version, part.path) == (1, "cli", str(tmp_path))
    assert wanted("kit@3", two)[0] == 0


class Counting:
    """An encoder that counts what it is asked."""

    name, digest, dimension, size_bytes = "counting", "sha256:" + "1" * 64, 2, 0

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += texts
        return np.array([[len(text), 1.0] for text in texts], np.float32)


def test_no_text_is_encoded_twice() -> None:
    encoder = Counting()
    known = {"old": np.array([9.0, 9.0], np.float32)}
    one = Remembering(encoder, known)
    assert one.encode(["new", "old", "new"]).tolist() == [[3.0, 1.0], [9.0, 9.0], [3.0, 1.0]]
    assert one.encode(["new"]).tolist() == [[3.0, 1.0]]
    assert encoder.asked == ["new"]
    assert (one.reused, one.encoded) == (3, 1)
    assert one.encode([]).shape == (0, 2)
    assert (one.name, one.digest, one.dimension, one.size_bytes) == (
        "counting",
        encoder.digest,
        2,
        0,
    )
