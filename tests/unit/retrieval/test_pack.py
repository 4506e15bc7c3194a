from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from letters import Letters
from metier.errors import CorruptError, InputError
from metier.messages import Progress
from metier.retrieval import Pack, PackSource, build_pack, open_pack
from metier.retrieval.pack import CHUNKS, FACTS, built_with, fused

WORDS = "All of these words stand here so that the section is not small. " * 4
PAGES = {
    "01-a/02-forms.md": f"---\ntitle: Forms\n---\n\n{WORDS}\n\n## Progressive enhancement\n\n"
    f"Add `use:enhance` and the page is not reloaded. {WORDS}\n",
    "01-a/03-state.md": f"# State\n\nDeclare with `$state`. {WORDS}\n\n## Long\n\n"
    + f"Zebras graze. {WORDS}\n\n" * 20,
}
SOURCE = PackSource(PAGES, "a/docs@12345678", "svelte@5", "https://a.example/{name}", "svelte")
DIGEST = "sha256:" + "0" * 64


def opened(parts: dict[str, bytes], **more: object) -> Pack:
    settings = {"encoder": None, "name": "docs", "digest": DIGEST} | more
    return open_pack(parts.__getitem__, **settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def parts() -> dict[str, bytes]:
    return build_pack([SOURCE], encoder=Letters())


def test_a_question_finds_its_section(parts: dict[str, bytes]) -> None:
    for pack in (opened(parts), opened(parts, encoder=Letters())):
        best = pack.search("stop the reload when I submit: use:enhance")[0]
        assert best.trail == ("Forms", "Progressive enhancement")
        assert best.address == "https://a.example/forms#Progressive-enhancement"
        assert (best.source, best.version) == ("a/docs@12345678", "svelte@5")


def test_the_same_sources_give_the_same_bytes(parts: dict[str, bytes]) -> None:
    turned = PackSource(dict(reversed(PAGES.items())), *SOURCE_FACTS)
    assert build_pack([turned], encoder=Letters()) == parts


SOURCE_FACTS = (SOURCE.source, SOURCE.version, SOURCE.address, SOURCE.dialect)


def test_one_passage_of_each_section(parts: dict[str, bytes]) -> None:
    found = opened(parts).search("zebras graze", top=5)
    assert [item.trail[-1] for item in found].count("Long") == 1


def test_without_the_encoder_it_says_so(parts: dict[str, bytes]) -> None:
    words, both = opened(parts), opened(parts, encoder=Letters())
    assert (words.way, both.way) == ("words only", "words and meaning")
    assert words.digest != both.digest
    assert words.find("zebras").way == "words only"


def test_without_vectors_an_encoder_is_not_asked() -> None:
    pack = opened(build_pack([SOURCE], encoder=None), encoder=Letters())
    assert pack.way == "words only"
    assert pack.search("zebras")


def test_another_encoder_is_refused(parts: dict[str, bytes]) -> None:
    class Other(Letters):
        digest = "sha256:" + "2" * 64

    with pytest.raises(InputError) as caught:
        opened(parts, encoder=Other())
    assert caught.value.code == "wrong_encoder"
    assert built_with(parts.__getitem__) == Letters.digest


def test_nothing_near_is_nothing_found(parts: dict[str, bytes]) -> None:
    found = opened(parts).find("xylophone")
    assert found.passages == ()
    assert found.sure == "unlikely"
    assert opened(parts, encoder=Letters()).search("") == []


def test_the_subject_of_the_whole_pack_tells_nothing_apart(parts: dict[str, bytes]) -> None:
    asked: list[str] = []

    class Hearing(Letters):
        def encode(self, texts):  # type: ignore[no-untyped-def]
            asked.extend(texts)
            return super().encode(texts)

    pack = opened(parts, encoder=Hearing())
    for query in ("a form in Svelte 5", "svelte: a form", "a svelte:boundary", "svelte"):
        pack.search(query)
    assert asked == ["a form", "a form", "a svelte:boundary", "svelte"]


@pytest.mark.parametrize("top", [0, -1])
def test_a_search_for_nothing_is_refused(parts: dict[str, bytes], top: int) -> None:
    with pytest.raises(InputError) as caught:
        opened(parts).search("zebras", top=top)
    assert caught.value.code == "bad_top"


def test_a_pasted_file_is_a_query(parts: dict[str, bytes]) -> None:
    assert opened(parts, encoder=Letters()).search("zebras " + "x" * 1_000_000)


def test_documents_without_words_make_no_pack() -> None:
    with pytest.raises(InputError) as caught:
        build_pack([PackSource({"a.md": "# Only\n"}, "a")], encoder=None)
    assert caught.value.code == "empty_pack"


def test_two_sources_of_one_version_may_not_share_sections() -> None:
    with pytest.raises(InputError) as caught:
        build_pack([SOURCE, SOURCE], encoder=None)
    assert caught.value.code == "two_chunks"


def test_progress_ends_at_one() -> None:
    heard: list[Progress] = []
    build_pack([SOURCE], encoder=Letters(), report=heard.append)
    assert heard[-1].fraction == 1.0
    assert {item.stage for item in heard} == {"chunks", "words", "vectors"}


def damaged_facts(parts: dict[str, bytes]) -> None:
    parts[FACTS] = b"[]"


def another_format(parts: dict[str, bytes]) -> None:
    parts[FACTS] = json.dumps(json.loads(parts[FACTS]) | {"format": "pack/9"}).encode()


def a_chunk_less(parts: dict[str, bytes]) -> None:
    parts[CHUNKS] = parts[CHUNKS].split(b"\n", 1)[1]


def a_strange_chunk(parts: dict[str, bytes]) -> None:
    parts[CHUNKS] = b'{"id": 1}\n' + parts[CHUNKS].split(b"\n", 1)[1]


def no_vectors(parts: dict[str, bytes]) -> None:
    parts["vectors.safetensors"] = b""


@pytest.mark.parametrize(
    "harm", [damaged_facts, another_format, a_chunk_less, a_strange_chunk, no_vectors]
)
def test_a_damaged_pack_is_named(
    parts: dict[str, bytes], harm: Callable[[dict[str, bytes]], None]
) -> None:
    changed = dict(parts)
    harm(changed)
    with pytest.raises(CorruptError) as caught:
        opened(changed, encoder=Letters())
    assert caught.value.code == "bad_pack"


def test_what_is_no_description_names_no_encoder() -> None:
    with pytest.raises(CorruptError):
        built_with(lambda path: b"x")


def test_ranks_are_fused_as_in_the_paper() -> None:
    ranked = fused([(1.0, [7, 8]), (2.0, [8])], k=10)
    assert ranked == [(8, pytest.approx(1 / 12 + 2 / 11)), (7, pytest.approx(1 / 11))]
