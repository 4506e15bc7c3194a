from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from metier.retrieval.words import stem, words_of


@pytest.mark.parametrize(
    ("text", "whole", "part"),
    [
        ("$state.raw", "$state.raw", "raw"),
        ("bind:value", "bind:value", "valu"),
        ("+page.server.js", "+page.server.js", "server"),
        ("useEffect", "useeffect", "effect"),
        ("use:enhance", "use:enhance", "enhanc"),
        ("{#each items}", "#each", "each"),
        ("{@html x}", "@html", "html"),
        ("@sveltejs/kit", "@sveltejs/kit", "kit"),
        ("bind_not_bindable", "bind_not_bindable", "bindabl"),
        ("<svelte:boundary>", "svelte:boundary", "boundari"),
    ],
)
def test_a_name_in_code_is_found_whole_and_by_its_parts(text: str, whole: str, part: str) -> None:
    assert whole in words_of(text)
    assert part in words_of(text)


def test_words_meet_in_their_stem_and_small_words_go() -> None:
    assert words_of("How do the loading pages load?") == ["load", "page", "load"]
    assert words_of("not without") == ["not", "without"]


def test_targets_of_links_are_no_words() -> None:
    assert words_of("[see here](https://nowhere.example/secret)") == ["see", "here"]


def test_other_scripts_are_words() -> None:
    assert words_of("Grüße кот 猫") == ["grüße", "кот", "猫"]


def test_stems_do_not_depend_on_threads() -> None:
    words = [f"{start}ing" for start in ("load", "render", "fetch", "bind", "snapp", "rout")] * 200
    expected = [stem(word) for word in words]
    stem.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(stem, words)) == expected
