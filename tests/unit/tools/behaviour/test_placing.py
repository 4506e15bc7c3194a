import pytest

from metier.coding import Behaviour, SourceFile
from metier.tools.behaviour.placing import expected_paths, place

PAGE = "src/routes/notes/+page.svelte"
SERVER = "src/routes/notes/+page.server.ts"


def behaviour(*answer: str, given: dict[str, str] | None = None) -> Behaviour:
    return Behaviour("dom", answer[0], given=given or {}, options={"answer": answer})


@pytest.mark.parametrize(
    ("paths", "answer", "placed"),
    [
        (["Answer.svelte"], ["Todo.svelte"], ["Todo.svelte"]),
        (["routes/notes/+page.svelte"], [PAGE], [PAGE]),
        (["+page.server.ts", "+page.svelte"], [PAGE, SERVER], [SERVER, PAGE]),
        (["answer.js"], ["sum.ts"], ["sum.ts"]),
        (["One.svelte", "Two.svelte"], ["Two.svelte"], ["One.svelte", "Two.svelte"]),
        (["b.svelte.js", "A.svelte"], ["A.svelte", "s.svelte.js"], ["s.svelte.js", "A.svelte"]),
        (["../../etc/x.svelte"], ["A.svelte"], ["A.svelte"]),
        (["A.svelte", "/extra.css"], ["A.svelte"], ["A.svelte", "extra.css"]),
    ],
)
def test_files_go_where_the_task_expects_them(
    paths: list[str], answer: list[str], placed: list[str]
) -> None:
    found = place([SourceFile(path, path) for path in paths], behaviour(*answer))
    assert [file.path for file in found] == placed
    assert [file.text for file in found] == paths


def test_a_given_file_is_never_overwritten() -> None:
    asked = behaviour("A.svelte", given={"lib/db.js": "given"})
    found = place([SourceFile("A.svelte", "a"), SourceFile("lib/db.js", "mine")], asked)
    assert [file.path for file in found] == ["A.svelte"]


def test_the_entry_is_expected_unless_it_is_given() -> None:
    assert expected_paths(Behaviour("dom", "A.svelte")) == ("A.svelte",)
    assert expected_paths(Behaviour("dom", "Host.svelte", given={"Host.svelte": ""})) == ()
