"""The tool as a whole: its protocol, heaps of files, migration, digests, missing toolchains."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from metier.coding import Behaviour, SourceFile
from metier.errors import InputError, UnavailableError
from metier.sandbox import detect
from metier.toolchains import Toolchains
from metier.tools import Workshop
from metier.tools.svelte import SvelteTool, open_tool
from toolchain import needs, toolchains

OLD = """<script>
	export let name = 'World';
	let count = 0;
	$: doubled = count * 2;
</script>

<button on:click={() => count++}>{name} {doubled}</button>
<slot />
"""


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SvelteTool]:
    made = open_tool(Workshop(toolchains(), detect, tmp_path_factory.mktemp("scratch")))
    yield made
    made.close()


def component(text: str) -> list[SourceFile]:
    return [SourceFile("Component.svelte", text)]


@needs("svelte@5")
def test_checking_says_what_and_where_and_how_long(tool: SvelteTool) -> None:
    checked = tool.check(component("<p>{count</p>"))
    assert not checked.ok
    assert checked.seconds > 0
    assert checked.errors[0].path == "Component.svelte"
    assert tool.check(component("<p>x</p>")).ok
    assert tool.check([]).ok


@needs("svelte@5")
def test_a_thousand_files_are_checked_and_more_than_two_thousand_refused(tool: SvelteTool) -> None:
    files = [SourceFile(f"lib/A{number}.svelte", "<p>x</p>") for number in range(1000)]
    assert tool.check([*files, SourceFile("lib/B.svelte", "<p>")]).errors[0].path == "lib/B.svelte"
    for act in (tool.check, tool.migrate, lambda many: tool.repair(many, tool.check([]))):
        with pytest.raises(InputError) as caught:
            act(files * 3)
        assert caught.value.code == "too_many_files"


def test_a_missing_toolchain_is_said_with_the_command(tmp_path: Path) -> None:
    tool = open_tool(Workshop(Toolchains(tmp_path), detect, tmp_path))
    with pytest.raises(UnavailableError) as caught:
        tool.check(component("<p>x</p>"))
    assert caught.value.code in ("no_toolchain", "no_node")
    assert caught.value.remedy
    tool.close()


def test_the_digest_is_of_the_toolchain_and_needs_none_installed(tmp_path: Path) -> None:
    workshop = Workshop(Toolchains(tmp_path), detect, tmp_path)
    old = Workshop(workshop.toolchains, detect, tmp_path, versions={"svelte": "svelte@4"})
    assert open_tool(workshop).digest == open_tool(workshop).digest
    assert open_tool(workshop).digest != open_tool(old).digest
    assert open_tool(workshop).digest.startswith("sha256:")


@needs("svelte@5")
def test_repair_says_what_it_did_and_leaves_sound_files_alone(tool: SvelteTool) -> None:
    files = [*component("<script>\n\t$state count = 0;\n</script>\n{count}")]
    files.append(SourceFile("Other.svelte", "<p>x</p>"))
    mended = tool.repair(files, tool.check(files))
    assert mended is not None
    assert mended.checked.ok
    assert mended.files[0].text == "<script>\n\tlet count = $state(0);\n</script>\n{count}"
    assert mended.files[1] is files[1]
    assert [name for name, _ in mended.applied] == ["rune-as-keyword"]
    assert tool.repair(mended.files, mended.checked) is None


@needs("svelte@5")
def test_migration_writes_svelte_5(tool: SvelteTool) -> None:
    mended = tool.migrate(component(OLD))
    assert mended is not None
    text = mended.files[0].text
    assert mended.checked.ok
    for piece in ("$props()", "$state(0)", "$derived(count * 2)", "onclick=", "{@render children"):
        assert piece in text
    assert tool.migrate(component("<p>x</p>")) is None


@needs("svelte@5")
def test_migration_lists_what_is_left_to_do(tool: SvelteTool) -> None:
    text = (
        "<script>\n\timport { beforeUpdate } from 'svelte';\n\tbeforeUpdate(() => {});\n</script>"
    )
    mended = tool.migrate(component(text))
    assert mended is not None
    left = [item for item in mended.checked.diagnostics if item.code == "migration_task"]
    assert left
    assert "beforeUpdate" in left[0].message
    assert left[0].severity == "warning"
    broken = tool.migrate(component("<script>let a = {;</script>"))
    assert broken is not None
    assert not broken.checked.ok


@needs("svelte@5")
def test_judging_goes_through_the_sandbox(tool: SvelteTool) -> None:
    button = "<button data-testid='b' onclick={() => n++}>{n}</button>"
    text = f"<script>let n = $state(0);</script>{button}"
    steps = ({"mount": {}}, {"click": {"testid": "b"}}, {"expect": {"testid": "b"}, "text": "1"})
    behaviour = Behaviour("dom", "Component.svelte", steps=steps)
    judged = tool.judge(component(text), behaviour)
    assert judged.standing == "passed", judged.why
    broken = tool.judge(component("<p>{"), behaviour)
    assert (broken.standing, broken.stage) == ("failed", "compile")
    assert broken.diagnostics[0].docs
