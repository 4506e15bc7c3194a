"""The domain model: from which texts it is made, never from sealed ones, and when again."""

from __future__ import annotations

import threading
from pathlib import Path

import made_up
import workshop
from metier.assembly import Metier
from metier.assembly.domains import Domains, Means, lines_of, picked, questions_of
from metier.evals.items import read_eval
from metier.recipe import ChatRecipe
from metier.retrieval.chunking import Chunk
from routed_fleet import RECIPE
from talking import pack_recipe


def made(tmp_path: Path, name: str = "help-desk") -> tuple[Metier, Path]:
    """A home with a linear classifier of tickets and the chat specialist, without any service."""
    metier = workshop.opened(tmp_path / "home", base=False)
    rows = workshop.tickets(tmp_path / "rows", train=60, held_out=30)
    recipe = metier.recipe_for(rows, name=name, curve=False, text="text", label="label")
    specialist = recipe.specialist.model_copy(update={"domain": "tickets"})
    ladder = recipe.ladder.model_copy(update={"rungs": ("majority", "linear")})
    metier.make(
        recipe.model_copy(update={"specialist": specialist, "ladder": ladder}), folder=tmp_path
    )
    metier.make(ChatRecipe.from_toml(RECIPE.format(repairs=1)), folder=tmp_path)
    return metier, rows


def test_it_learns_from_training_rows_and_never_from_sealed_ones(tmp_path: Path) -> None:
    metier, _ = made(tmp_path)
    questions = metier.routing._domains.questions()
    assert set(questions) == {"tickets", "python"}
    (sealed,) = (metier.settings.home / "evals").glob("*.jsonl")
    held = {item.text for item in read_eval(sealed).items}
    assert held
    assert questions["tickets"]
    assert not held & set(questions["tickets"])
    assert "Functions have brackets and colons." in questions["python"]


def test_rows_that_are_gone_leave_the_labels(tmp_path: Path) -> None:
    metier, rows = made(tmp_path)
    rows.unlink()
    texts = metier.routing._domains.questions()["tickets"]
    card = metier.show("help-desk").classifier
    assert card is not None
    assert any(label.replace("_", " ") in texts for label in card.labels)
    assert not {row["text"] for row in made_up.rows(60)} & set(texts)


def test_documents_become_questions() -> None:
    chunk = Chunk(
        id="a", path="a.md", title="Runes", trail=("Runes", "`$state`"), source="s",
        version="svelte@5", covers=("Deep state",),
        text="You can keep a counter in a rune. It is short.\n\n```js\nlet n = $state(0);\n```\n",
    )  # fmt: skip
    found = questions_of([chunk])
    assert "How do I use Deep state in svelte?" in found
    assert "svelte $state" in found
    assert "let n = $state(0);\n" in found
    assert "You can keep a counter in a rune." in found
    assert not any("```" in text for text in found)


def test_the_documents_of_a_specialist_are_read(tmp_path: Path) -> None:
    metier, _ = made(tmp_path)
    metier.make(pack_recipe(tmp_path / "documents"), folder=tmp_path)
    recipe = RECIPE.format(repairs=1).replace("tools =", 'packs = ["notes"]\ntools =')
    metier.make(ChatRecipe.from_toml(recipe), folder=tmp_path)
    assert "Sorting" in metier.routing._domains.questions()["python"]


def test_picking_is_the_same_every_time() -> None:
    texts = [f"text {number}" for number in range(500)]
    first = picked(texts, 50)
    assert first == picked(list(texts), 50)
    assert len(first) == 50
    assert int(first[-1].split()[1]) > 300, "from everywhere, not from the front"
    assert picked([" a ", "a", "", "b"], 9) == ["a", "b"]


def test_lines_of_a_prompt() -> None:
    assert lines_of("You write.\n\n- Use runes.\n#\n") == ["You write.", "Use runes."]


def test_it_is_made_once_kept_and_made_again_when_the_fleet_changes(tmp_path: Path) -> None:
    metier, _ = made(tmp_path)
    domains = metier.routing._domains
    first = domains.model()
    assert first is not None
    assert domains.model() is first
    folder = metier.settings.home / "routes" / "models"
    (kept,) = folder.glob("*.model")
    again = Metier.open(metier.settings).routing._domains.model()
    assert again is not None
    assert again.digest == first.digest
    kept.write_bytes(kept.read_bytes()[:-1] + b"\0x")
    mended = Metier.open(metier.settings).routing._domains.model()
    assert mended is not None
    assert mended.digest == first.digest, "a damaged one is made again, the same"
    metier.remove("help-desk")
    second = domains.model()
    assert second is not None
    assert second.names == ("python",)


def test_while_it_is_made_again_the_one_before_answers(tmp_path: Path) -> None:
    metier, _ = made(tmp_path)
    domains = metier.routing._domains
    first = domains.model()
    metier.remove("help-desk")
    assert domains.model(wait=False) is first
    assert domains._thread is not None
    domains._thread.join(60)
    found = domains.model(wait=False)
    assert found is not None
    assert found.names == ("python",)


def test_many_who_ask_at_once_make_one(tmp_path: Path) -> None:
    metier, _ = made(tmp_path)
    asked: list[int] = []

    def rows(_item: object) -> None:
        asked.append(1)

    own = metier.routing._domains._means
    domains = Domains(Means(own.home, own.installed, rows, own.prompt, own.chunks))  # type: ignore[arg-type]
    threads = [threading.Thread(target=domains.model) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 1


def test_a_fleet_without_specialists_has_none(tmp_path: Path) -> None:
    metier = workshop.opened(tmp_path / "home", base=False)
    assert metier.routing._domains.model() is None
