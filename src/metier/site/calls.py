"""The call box: the same question as curl, Python, JavaScript and a command, ready to copy.

It knows addresses and names; names are checked references and are quoted all the same. Editors
and agents are ``clients``' matter. Every program here is run by a test against a real server.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple

from metier.site import clients
from metier.site.values import Place

_TEXT = "the text to classify"
_QUESTION = "how do I …"
_TEXTS = ["one text", "another"]


class Call(NamedTuple):
    """One way to call: a short key, what the tab says, and the code."""

    key: str
    title: str
    code: str


class _Ask(NamedTuple):
    """One request: where to, what, and which fields of the answer are printed."""

    path: str
    body: Mapping[str, Any]
    python: str
    javascript: str


def calls(name: str, here: Place) -> list[Call]:
    """Every way to ask the classifier ``name``, filled in for this server."""
    asked = _Ask(
        "/v1/classify",
        {"model": name, "input": _TEXT},
        'print(answer["label"], answer["probability"])',
        "console.log(answer.label, answer.probability);",
    )
    return [*_plain(asked, here), _mcp(here), _command(name, _TEXT)]


def picture_calls(name: str, here: Place) -> list[Call]:
    """Every way to ask the classifier of pictures ``name``: the file itself goes along."""
    url = f"{here.address}/metier/v1/classify-image"
    key = '  -H "Authorization: Bearer $METIER_KEY" \\\n' if here.needs_key else ""
    curl = f"curl {shlex.quote(url)} \\\n{key}  -F model={shlex.quote(name)} -F image=@photo.jpg"
    imports = "import base64, json, os" if here.needs_key else "import base64, json"
    header = (
        '\n        "Authorization": "Bearer " + os.environ["METIER_KEY"],' if here.needs_key else ""
    )
    python = f"""{imports}, urllib.request

picture = base64.b64encode(open("photo.jpg", "rb").read()).decode()
request = urllib.request.Request(
    {json.dumps(url)},
    data=json.dumps({{"model": {json.dumps(name)}, "image": picture}}).encode(),
    headers={{
        "Content-Type": "application/json",{header}
    }},
)
answer = json.load(urllib.request.urlopen(request))
print(answer["label"], answer["probability"])"""
    sent = "{ Authorization: `Bearer ${process.env.METIER_KEY}` }" if here.needs_key else "{}"
    javascript = f"""import {{ readFile }} from "node:fs/promises";

const form = new FormData();
form.append("model", {json.dumps(name)});
form.append("image", new Blob([await readFile("photo.jpg")]), "photo.jpg");
const reply = await fetch({json.dumps(url)}, {{ method: "POST", headers: {sent}, body: form }});
const answer = await reply.json();
console.log(answer.label, answer.probability);"""
    line = f"metier run {shlex.quote(name)} --image photo.jpg"
    return [
        Call("curl", "curl", curl),
        Call("python", "Python", python),
        Call("javascript", "JavaScript", javascript),
        Call("command", "Command line", line),
    ]


def chat_calls(name: str, here: Place) -> list[Call]:
    """Every way to ask the chat specialist ``name``; a base is chosen as ``name@BASE``."""
    return [*_chat(name, here), _mcp(here), _command(name, _QUESTION)]


def model_calls(name: str, here: Place) -> list[Call]:
    """Every way to talk to the local model ``name``."""
    return [*_chat(name, here), _command(name, _QUESTION)]


def embed_calls(name: str, here: Place) -> list[Call]:
    """Every way to get vectors from the model ``name``."""
    asked = _Ask(
        "/v1/embeddings",
        {"model": name, "input": _TEXTS},
        'print(len(answer["data"][0]["embedding"]))',
        "console.log(answer.data[0].embedding.length);",
    )
    texts = json.dumps(_TEXTS)
    openai = f"""reply = client.embeddings.create(model={json.dumps(name)}, input={texts})
print(len(reply.data[0].embedding))"""
    ollama = f"""reply = client.embed(model={json.dumps(name)}, input={texts})
print(len(reply.embeddings[0]))"""
    return [*_plain(asked, here), _openai(openai, here), _ollama(ollama, here)]


def rerank_calls(name: str, here: Place) -> list[Call]:
    """Every way to put texts in order with the model ``name``."""
    asked = _Ask(
        "/v1/rerank",
        {"model": name, "query": "a question", "documents": _TEXTS},
        'print([found["index"] for found in answer["results"]])',
        "console.log(answer.results.map((found) => found.index));",
    )
    return _plain(asked, here)


def search_calls(name: str, here: Place) -> list[Call]:
    """Every way to search the pack ``name``."""
    asked = _Ask(
        "/metier/v1/search",
        {"model": name, "query": _QUESTION},
        'print([passage["title"] for passage in answer["passages"]])',
        "console.log(answer.passages.map((passage) => passage.title));",
    )
    return [*_plain(asked, here), _mcp(here), _command(name, _QUESTION)]


def _chat(name: str, here: Place) -> list[Call]:
    message = {"role": "user", "content": _QUESTION}
    asked = _Ask(
        "/v1/chat/completions",
        {"model": name, "messages": [message]},
        'print(answer["choices"][0]["message"]["content"])',
        "console.log(answer.choices[0].message.content);",
    )
    messages = f"[{json.dumps(message, ensure_ascii=False)}]"
    openai = f"""reply = client.chat.completions.create(
    model={json.dumps(name)},
    messages={messages},
)
print(reply.choices[0].message.content)"""
    ollama = f"""reply = client.chat(
    model={json.dumps(name)},
    messages={messages},
)
print(reply.message.content)"""
    return [*_plain(asked, here), _openai(openai, here), _ollama(ollama, here)]


def _plain(asked: _Ask, here: Place) -> list[Call]:
    url = f"{here.address}{asked.path}"
    return [
        Call("curl", "curl", _curl(url, asked.body, here.needs_key)),
        Call("python", "Python", _python(url, asked, here.needs_key)),
        Call("javascript", "JavaScript", _javascript(url, asked, here.needs_key)),
    ]


def _mcp(here: Place) -> Call:
    return Call("mcp", "MCP", clients.mcp(here))


def _command(name: str, text: str) -> Call:
    line = f"metier run {shlex.quote(name)} {shlex.quote(text)}"
    return Call("command", "Command line", line)


def _openai(code: str, here: Place) -> Call:
    key = 'os.environ["METIER_KEY"]' if here.needs_key else '"none"'
    imports = "import os\n\n" if here.needs_key else ""
    whole = f"""{imports}from openai import OpenAI

client = OpenAI(base_url={json.dumps(here.address + "/v1")}, api_key={key})
{code}"""
    return Call("openai", "OpenAI", whole)


def _ollama(code: str, here: Place) -> Call:
    imports, headers = "", ""
    if here.needs_key:
        imports = "import os\n\n"
        headers = ', headers={"Authorization": "Bearer " + os.environ["METIER_KEY"]}'
    whole = f"""{imports}from ollama import Client

client = Client({json.dumps(here.address)}{headers})
{code}"""
    return Call("ollama", "Ollama", whole)


def _curl(url: str, body: Mapping[str, Any], needs_key: bool) -> str:
    key = '  -H "Authorization: Bearer $METIER_KEY" \\\n' if needs_key else ""
    said = shlex.quote(json.dumps(body, ensure_ascii=False))
    return f"curl {shlex.quote(url)} \\\n{key}  -H 'Content-Type: application/json' \\\n  -d {said}"


def _python(url: str, asked: _Ask, needs_key: bool) -> str:
    imports = "import json, os, urllib.request" if needs_key else "import json, urllib.request"
    key = '\n        "Authorization": "Bearer " + os.environ["METIER_KEY"],' if needs_key else ""
    body = ", ".join(f"{json.dumps(k)}: {_literal(v)}" for k, v in asked.body.items())
    return f"""{imports}

request = urllib.request.Request(
    {json.dumps(url)},
    data=json.dumps({{{body}}}).encode(),
    headers={{
        "Content-Type": "application/json",{key}
    }},
)
answer = json.load(urllib.request.urlopen(request))
{asked.python}"""


def _javascript(url: str, asked: _Ask, needs_key: bool) -> str:
    key = "\n    Authorization: `Bearer ${process.env.METIER_KEY}`," if needs_key else ""
    body = ", ".join(f"{field}: {_literal(value)}" for field, value in asked.body.items())
    return f"""const reply = await fetch({json.dumps(url)}, {{
  method: "POST",
  headers: {{
    "Content-Type": "application/json",{key}
  }},
  body: JSON.stringify({{ {body} }}),
}});
const answer = await reply.json();
{asked.javascript}"""


def _literal(value: object) -> str:
    """Strings and lists read the same in JSON, Python and JavaScript."""
    return json.dumps(value, ensure_ascii=False)
