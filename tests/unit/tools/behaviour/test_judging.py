# ruff: noqa: E501  sources of components are read best as they are
"""Frameworks, kinds and verdicts, each against its real toolchain."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from metier.coding import Behaviour
from metier.errors import InputError
from metier.sandbox import detect
from metier.tools import Workshop
from metier.tools.behaviour import Judge
from toolchain import needs, toolchains

MOUNT = [{"mount": {}}]


def passes(judged: Any) -> None:
    assert judged.standing == "passed", judged


@needs("svelte@5")
@pytest.mark.parametrize(
    ("text", "stage", "said"),
    [
        ("<script>let x = $state(</script>", "compile", "Answer.svelte:1"),
        ("<script>import x from 'nowhere';</script>{x}", "load", "Cannot find module 'nowhere'"),
        ("<script>null.x;</script>", "load", "Cannot read properties"),
        ("<script>Promise.reject(new Error('lost'));</script>", "behaviour", "lost"),
        ("<script>$effect(() => { throw new Error('late'); });</script>", "load", "late"),
    ],
)
def test_where_an_answer_fails(judging: Any, text: str, stage: str, said: str) -> None:
    judged = judging(text, MOUNT)
    assert (judged.standing, judged.stage) == ("failed", stage), judged
    assert said in judged.why


@needs("svelte@5")
def test_options_of_the_verdict(judging: Any) -> None:
    lost = "<script>Promise.reject(new Error('lost')); console.error('x');</script>"
    passes(judging(lost, MOUNT, errors="allowed"))
    judged = judging(lost, MOUNT, errors="allowed", console_errors="refused")
    assert "console" in judged.why
    old = "<script>export let x = 1;</script>{x}"
    passes(judging(old, MOUNT))
    assert judging(old, MOUNT, runes=True).stage == "compile"


@needs("svelte@5")
def test_given_files_hosts_and_missing_files(judging: Any) -> None:
    host = """<script>import Row from './Row.svelte'; import { spy } from 'metier:spies';
    let value = $state('a'); const pick = spy('pick', () => 'picked');</script>
    <Row bind:value {pick}>{#snippet head(text)}<b>{text}</b>{/snippet}</Row><p>{value}</p>"""
    row = """<script>let { value = $bindable(), head, pick } = $props();</script>
    {@render head(value)}<button onclick={() => (value = pick(1))}>Go</button>"""
    steps = [
        {"mount": {}},
        {"expect": "b", "text": "a"},
        {"click": "button"},
        {"expect": "p", "text": "picked"},
        {"expect": "b", "text": "picked"},
        {"calls": "pick", "args": [[1]]},
    ]
    more = {"entry": "Host.svelte", "given": {"Host.svelte": host}}
    passes(judging({"Row.svelte": row}, steps, **more))
    broken = judging({"Row.svelte": row}, steps, entry="Host.svelte", given={"Host.svelte": "{#if"})
    assert broken.standing == "unscored"


def test_what_is_missing(tmp_path: Any) -> None:
    from metier.errors import UnavailableError
    from metier.toolchains import Toolchains

    judge = Judge(Workshop(Toolchains(tmp_path), detect, tmp_path), "svelte", "svelte@5")
    nothing = judge.judge([], Behaviour("dom", "A.svelte", steps=({"mount": {}},)))
    assert (nothing.standing, nothing.stage) == ("failed", "extract")
    with pytest.raises(InputError):
        judge.judge([], Behaviour("dom", "A.svelte", steps=({"jump": "h1"},)))
    from metier.coding import SourceFile

    with pytest.raises(UnavailableError) as caught:
        judge.judge(
            [SourceFile("A.svelte", "x")], Behaviour("dom", "A.svelte", steps=({"mount": {}},))
        )
    assert caught.value.code == "no_toolchain"


@needs("svelte@4", "svelte@5")
def test_svelte_4(judging: Any) -> None:
    text = """<script lang="ts">import { createEventDispatcher } from 'svelte'; import { writable } from 'svelte/store';
    export let start: number = 1; const send = createEventDispatcher(); const count = writable(start);
    $: double = $count * 2;</script>
    <button on:click={() => { $count += 1; send('added', $count); }}>{double}</button>"""
    steps = [
        {"mount": {"start": 2}, "listen": ["added"]},
        {"click": {"role": "button", "name": "4"}},
        {"expect": "button", "text": "6"},
        {"calls": "added", "args": [[3]]},
        {"set": {"start": 9}},
    ]
    passes(judging(text, steps, toolchain="svelte@4"))


@needs("react@19")
def test_react(judging: Any) -> None:
    text = """import { useEffect, useState } from 'react';
    export default function Search({ find, title, children }: { find: (text: string) => Promise<string[]>; title: string; children: any }) {
      const [text, setText] = useState(''); const [found, setFound] = useState<string[]>([]);
      useEffect(() => { let old = false; find(text).then((list) => old || setFound(list)); return () => { old = true; }; }, [text]);
      return <><h1>{title}</h1><label>Text <input value={text} onChange={(event) => setText(event.target.value)} /></label>
        <ul>{found.map((item) => <li key={item}>{item}</li>)}</ul>{children}</>;
    }"""
    steps = [
        {
            "mount": {
                "find": {"$function": "async (text) => [...text]"},
                "title": "One",
                "children": {"$html": "<b>inside</b>"},
            }
        },
        {"expect": "b", "text": "inside"},
        {"type": "abc", "into": {"label": "Text"}},
        {"expect": {"role": "listitem"}, "texts": ["a", "b", "c"]},
        {"set": {"title": "Two"}},
        {"expect": {"role": "heading", "level": 1}, "text": "Two"},
        {"expect": {"label": "Text"}, "value": "abc"},
        {"console": "error", "count": 0},
    ]
    passes(judging(text, steps, toolchain="react@19", entry="Search.tsx"))
    server = "export default ({ name }) => <p>Hello {name}</p>;"
    rendered = [{"render": {"name": "Ada"}}, {"expect": "p", "text": "Hello Ada"}]
    passes(judging(server, rendered, toolchain="react@19", kind="ssr"))


SERVER = """import { error, fail, json, redirect } from '@sveltejs/kit';
import { SECRET } from '$env/static/private';
import { find } from '$lib/db';
import { getRequestEvent } from '$app/server';
export const load = async ({ params, locals, fetch, depends, setHeaders, parent }) => {
  if (!locals.user) redirect(303, '/login');
  depends('app:one'); setHeaders({ 'cache-control': 'no-store' });
  const item = await find(params.id);
  if (!item) error(404, { message: 'Not found', id: params.id });
  return { item, more: fetch('/api/x').then((reply) => reply.json()), of: (await parent()).of, path: getRequestEvent().url.pathname, secret: SECRET };
};
export const actions = {
  create: async ({ request, cookies }) => {
    const form = await request.formData();
    if (!form.get('name')) return fail(422, { missing: true });
    cookies.set('seen', String(form.get('name')), { path: '/', httpOnly: true });
    cookies.delete('old', { path: '/' });
    return { ok: true };
  },
};
export async function POST({ request }) { return json(await request.json(), { status: 201, headers: { x: '1' } }); }
export const handle = async ({ event, resolve }) => {
  event.locals.lang = event.request.headers.get('accept-language') ?? 'en';
  const reply = await resolve(event, { transformPageChunk: ({ html }) => html.replace('%lang%', event.locals.lang) });
  reply.headers.set('x-made', 'yes');
  return reply;
};
export const handleError = ({ error: thrown, event }) => ({ message: `${event.url.pathname}: ${thrown.message}` });"""


USER = {"user": {"name": "Ada"}}
ASKED = {
    "url": "/i/7",
    "params": {"id": "7"},
    "locals": USER,
    "parent": {"of": 3},
    "fetch": [{"url": "/api/x", "json": [1]}],
}
KIT_STEPS = [
    {"load": {}, "redirect": {"status": 303, "location": "/login"}},
    {
        "load": ASKED,
        "returns": {
            "item": {"id": "7"},
            "more": [1],
            "of": 3,
            "path": "/i/7",
            "secret": "s3",
        },
        "depends": ["app:one"],
        "headers": {"cache-control": "no-store"},
        "fetched": ["GET /api/x"],
    },
    {"calls": "find", "args": [["7"]]},
    {
        "load": {**ASKED, "params": {"id": "0"}},
        "error": {"status": 404, "message": "Not found"},
        "body": {"message": "Not found", "id": "0"},
    },
    {"action": "create", "event": {"form": {}}, "fails": {"status": 422}},
    {
        "action": "create",
        "event": {"form": {"name": "Bo"}, "cookies": {"old": "1"}},
        "returns": {"ok": True},
        "cookies": {"seen": {"value": "Bo", "httpOnly": True}, "old": False},
    },
    {
        "request": "POST",
        "event": {"json": {"a": 1}},
        "status": 201,
        "json": {"a": 1},
        "headers": {"x": "1", "content-type": {"starts": "application/json"}},
    },
    {
        "handle": {"headers": {"accept-language": "de"}},
        "response": {"text": "<html lang=%lang%>"},
        "text": "<html lang=de>",
        "headers": {"x-made": "yes"},
        "locals": {"lang": "de"},
    },
    {"calls": "resolve", "count": 1},
    {
        "call": "handleError",
        "args": [{"error": {"$error": "x"}, "event": {"$event": {"url": "/a"}}}],
        "returns": {"message": "/a: x"},
    },
]


@needs("kit@2")
def test_kit(judging: Any) -> None:
    given = {
        "src/lib/db.js": "import { spy } from 'metier:spies';\n"
        "export const find = spy('find', async (id) => (id === '7' ? { id } : null));"
    }
    path = "src/routes/i/[id]/+page.server.js"
    more = {"toolchain": "kit@2", "kind": "kit", "entry": path, "given": given}
    passes(judging(SERVER, KIT_STEPS, **more, env={"SECRET": "s3"}))
    unasked = judging(SERVER, [{"load": {}, "returns": {}}], **more)
    assert "redirected with 303" in unasked.why


PAGE = """<script>
import { page } from '$app/state';
import { goto } from '$app/navigation';
import { enhance } from '$app/forms';
let { data, form } = $props();
let busy = $state(false);
</script>
<svelte:head><title>{data.title}</title></svelte:head>
<p data-testid="path">{page.url.pathname} {page.params.id}</p>
{#if form?.missing}<p role="alert">Missing</p>{/if}
<form method="POST" action="?/create" use:enhance={() => { busy = true; return async ({ update, result }) => { await update(); busy = false; if (result.type === 'success') goto('/done'); }; }}>
  <input name="title" aria-label="Title" /><button disabled={busy}>Save</button>
</form>
{#if page.form?.missing}<p role="alert">Missing</p>{/if}"""


@needs("kit@2")
def test_pages_of_kit(judging: Any) -> None:
    steps = [
        {"mount": {"data": {"title": "Notes"}}},
        {"expect": "title", "text": "Notes"},
        {"expect": {"testid": "path"}, "text": "/n/1 1"},
        {"page": {"url": "/n/2", "params": {"id": "2"}}},
        {"expect": {"testid": "path"}, "text": "/n/2 2"},
        {"type": "Tea", "into": {"label": "Title"}},
        {"press": "Enter"},
        {"calls": "enhance", "args": [["?/create", {"title": "Tea"}]]},
        {"expect": {"label": "Title"}, "value": ""},
        {"calls": "goto", "args": [["/done"]]},
    ]
    options = {"page": {"url": "/n/1", "params": {"id": "1"}}, "toolchain": "kit@2"}
    passes(judging(PAGE, steps, **options))
    failing = [
        {"mount": {"data": {"title": "Notes"}}},
        {"click": "button"},
        {"expect": {"role": "alert"}, "text": "Missing"},
        {"calls": "goto", "count": 0},
    ]
    actions = [{"action": "?/create", "type": "failure", "data": {"missing": True}}]
    passes(judging(PAGE, failing, actions=actions, **options))
    rendered = [
        {"render": {"data": {"title": "N"}}},
        {"expect": {"testid": "path"}, "text": "/n/1 1"},
    ]
    passes(judging(PAGE, rendered, kind="ssr", **options))


@needs("svelte@5")
def test_two_first_judgements_at_once_share_a_pool(tmp_path: Any) -> None:
    judge = Judge(Workshop(toolchains(), detect, tmp_path, pool_size=1), "svelte", "svelte@5")
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(judge.warm, ["dom", "module"]))
    assert len(judge._pools) == 1
    judge.close()
