"""Files of SvelteKit: found, placed, type-checked with generated types, held to kit's own rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from metier.coding import Checked, SourceFile
from metier.toolchains import Toolchains
from metier.tools import Workshop
from metier.tools.svelte import SvelteTool, open_tool
from metier.tools.svelte.sveltekit import is_kit, places
from toolchain import needs, toolchains

SERVER = """import { error, fail, redirect } from '@sveltejs/kit';
import type { Actions, PageServerLoad } from './$types';
export const load: PageServerLoad = async ({ params, cookies }) => {
	const number = Number(params.slug);
	if (!number) error(404, 'Not found');
	cookies.set('seen', 'yes', { path: '/' });
	return { post: { title: 'x', number } };
};
export const actions: Actions = {
	save: async ({ request }) => {
		const title = (await request.formData()).get('title');
		if (!title) return fail(400, { missing: true });
		redirect(303, '/');
	}
};
"""
PAGE = """<script lang="ts">
	import { enhance } from '$app/forms';
	import { page } from '$app/state';
	import type { PageProps } from './$types';
	let { data, form }: PageProps = $props();
	let upper = $derived(data.post.title.toUpperCase());
</script>
<h1>{upper} {data.post.number.toFixed(1)} {data.section} {page.url.pathname}</h1>
{#if form?.missing}<p>Give a title.</p>{/if}
<form method="POST" action="?/save" use:enhance><input name="title" aria-label="Title" /></form>
"""
LAYOUT = "export const load = ({ url }) => ({ section: url.pathname });\n"
HOOK = """export const handle = async ({ event, resolve }) => {
	event.locals.user = event.cookies.get('user');
	return resolve(event);
};
"""
FOLDER = "src/routes/blog/[slug]/"


def project(**changes: tuple[str, str]) -> list[SourceFile]:
    """A page, its server part and a layout; ``changes``: what to put for what, by file."""
    files = {
        "page": (f"{FOLDER}+page.svelte", PAGE),
        "server": (f"{FOLDER}+page.server.ts", SERVER),
    }
    files["layout"] = ("src/routes/+layout.ts", LAYOUT)
    made = []
    for name, (path, text) in files.items():
        before, after = changes.get(name, ("", ""))
        assert before in text
        made.append(SourceFile(path, text.replace(before, after) if before else text))
    return made


def codes(checked: Checked) -> set[str]:
    return {item.code for item in checked.errors}


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SvelteTool]:
    made = open_tool(Workshop(toolchains(), lambda: None, tmp_path_factory.mktemp("scratch")))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("path", "text", "kit"),
    [
        ("src/routes/+page.svelte", "", True),
        ("+server.js", "", True),
        ("hooks.server.ts", "", True),
        ("src/lib/x.ts", "import { page } from '$app/state';", True),
        ("Counter.svelte", "import { onMount } from 'svelte';", False),
        ("notes+page.svelte", "", False),
        ("readme.md", "from '$app/state'", False),
    ],
)
def test_files_of_sveltekit_are_known(path: str, text: str, kit: bool) -> None:
    assert is_kit([SourceFile(path, text)]) is kit


def test_files_without_folders_get_their_place() -> None:
    paths = [
        "+page.svelte",
        "$lib/a.ts",
        "hooks.server.js",
        "Card.svelte",
        "lib/b.js",
        "src/app.css",
    ]
    assert list(places([SourceFile(path, "") for path in paths]).values()) == [
        "src/routes/+page.svelte",
        "src/lib/a.ts",
        "src/hooks.server.js",
        "src/routes/Card.svelte",
        "src/lib/b.js",
        "src/app.css",
    ]
    beside = [SourceFile("my-app/src/routes/a/+page.svelte", ""), SourceFile("Card.svelte", "")]
    assert list(places(beside).values()) == [
        "src/routes/a/+page.svelte",
        "src/routes/a/Card.svelte",
    ]


@needs("svelte@5", "kit@2")
def test_a_sound_project_has_no_errors(tool: SvelteTool) -> None:
    checked = tool.check(project())
    assert checked.ok, [item.as_dict() for item in checked.errors]


@needs("svelte@5", "kit@2")
@pytest.mark.parametrize(
    ("file", "before", "after", "code"),
    [
        ("server", "params.slug", "params.id", "TS2339"),
        ("server", "title: 'x'", "title: 1", "TS2339"),
        ("page", "form?.missing", "form?.wrong", "TS2339"),
        ("page", "data.section", "data.sections", "TS2551"),
        ("server", "fail, redirect", "nonsense, fail, redirect", "TS2305"),
        ("server", "	save:", "	default: async () => {},\n	save:", "kit_default_action"),
        ("server", ", { path: '/' }", "", "kit_cookie_path"),
        (
            "server",
            "export const actions",
            "export const helper = 1;\nexport const actions",
            "kit_invalid_export",
        ),
        (
            "layout",
            "export",
            "import { KEY } from '$env/static/private';\nexport",
            "kit_private_import",
        ),
        (
            "page",
            "</script>",
            "</script>\n<script module>\nexport const load = () => ({});\n</script>",
            "kit_load_in_component",
        ),
        (
            "page",
            "let { data, form }: PageProps = $props()",
            "export let data",
            "legacy_export_invalid",
        ),
    ],
)
def test_one_slip_is_found(tool: SvelteTool, file: str, before: str, after: str, code: str) -> None:
    assert code in codes(tool.check(project(**{file: (before, after)})))


@needs("svelte@5", "kit@2")
def test_places_are_those_of_the_file_as_it_was_given(tool: SvelteTool) -> None:
    files = project(page=("form?.missing", "form?.wrong"))
    (found,) = tool.check(files).errors
    assert (found.path, found.line, found.column) == (f"{FOLDER}+page.svelte", 9, 12)
    assert found.docs == "https://svelte.dev/docs/kit/types"
    assert found.explanation


@needs("svelte@5", "kit@2")
def test_javascript_is_held_to_names_and_rules_only(tool: SvelteTool) -> None:
    server = (
        "export async function load({ params, fetch }) {\n"
        "\treturn { items: await (await fetch('/x')).json(), id: params.any };\n}\n"
    )
    page = (
        "<script>\n\tlet { data } = $props();\n</script>\n{#each data.items as item}{item}{/each}"
    )
    files = [SourceFile("+page.server.js", server), SourceFile("+page.svelte", page)]
    assert tool.check(files).ok
    files[0] = SourceFile("+page.server.js", server.replace("params.any", "nowhere"))
    assert codes(tool.check(files)) == {"TS2304"}


@needs("svelte@5", "kit@2")
@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("+server.ts", "export const get = () => new Response('x');", "kit_invalid_export"),
        ("+server.ts", "export default () => new Response('x');", "kit_invalid_export"),
        ("+page.jsx", "export default 1;", "kit_reserved_name"),
        ("+server.ts", "export const GET = ({ url }) => ({ a: url.pathname });", "TS2353"),
        ("+server.ts", "export const _mine = 1;\nexport const POST = () => new Response();", None),
        ("+page.svelte", "<script lang='ts'>let { data } = $props();</script>{data.x}", None),
        ("hooks.server.ts", HOOK, None),
        ("+page.ts", "export const prerender = true;\nexport type Mine = string;", None),
    ],
)
def test_route_files_alone(tool: SvelteTool, name: str, text: str, code: str | None) -> None:
    assert codes(tool.check([SourceFile(name, text)])) == ({code} if code else set())


@needs("svelte@5")
def test_without_the_types_of_kit_it_says_so(tmp_path: Path) -> None:
    source = toolchains().path("svelte@5")
    kept = Toolchains(tmp_path / "toolchains")
    place = kept.folder / "svelte@5" / kept.digest("svelte@5").removeprefix("sha256:")[:12]
    place.mkdir(parents=True)
    (place / "node_modules").symlink_to(source / "node_modules")
    alone = open_tool(Workshop(kept, lambda: None, tmp_path))
    checked = alone.check(project())
    alone.close()
    assert checked.ok
    assert "kit_not_checked" in {item.code for item in checked.diagnostics}
