import pytest

from metier.coding import SourceFile
from metier.sandbox import detect
from metier.tools import Workshop
from metier.tools.behaviour.building import Builder
from toolchain import needs, toolchains

pytestmark = needs("svelte@5", "react@19")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(toolchains(), detect, tmp_path_factory.mktemp("building"))


def test_files_become_modules_or_diagnostics(workshop: Workshop) -> None:
    builder = Builder(workshop, "svelte", "svelte@5")
    files = [
        SourceFile("A.svelte", '<script lang="ts">let a: number = $state(1);</script>{a}'),
        SourceFile("b.svelte.ts", "export const b: { n: number } = $state({ n: 1 });"),
        SourceFile("c.ts", "export const c: number = 1;"),
        SourceFile("d.json", '{"d": 1}'),
        SourceFile("wrong.svelte", "{#if x}"),
        SourceFile("wrong.ts", "export const = 1;"),
    ]
    built = builder.build(files, "page", {})
    builder.close()
    assert [path for path, _ in built.modules] == ["A.svelte", "b.svelte.ts", "c.ts", "d.json"]
    assert [item.path for item in built.diagnostics] == ["wrong.svelte", "wrong.ts"]
    assert all(item.line == 1 and item.code for item in built.diagnostics)


def test_the_digest_says_what_can_change_a_verdict(workshop: Workshop) -> None:
    svelte = Builder(workshop, "svelte", "svelte@5").digest
    assert svelte.startswith("sha256:")
    assert svelte == Builder(workshop, "svelte", "svelte@5").digest
    assert svelte != Builder(workshop, "react", "react@19").digest


def test_the_harness_is_bundled_once(workshop: Workshop) -> None:
    builder = Builder(workshop, "plain", "svelte@5")
    folder = builder.harness(())
    made = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert {"boot.cjs", "harness.js", "harness.js.page.cache", "runtime-page.js"} <= set(made)
    assert builder.harness(()) == folder
    assert made == {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert builder.harness(("--stack-size=800",)) != folder
    builder.close()
