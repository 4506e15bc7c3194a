"""The call box: the same question as curl, Python, JavaScript and a command, ready to copy.

It knows addresses and names; names are checked references and are quoted all the same.
"""

from __future__ import annotations

import json
import shlex
from typing import NamedTuple

from metier.site.values import Place

_TEXT = "the text to classify"
_QUESTION = "how do I …"


class Call(NamedTuple):
    """One way to call: a short key, what the tab says, and the code."""

    key: str
    title: str
    code: str


def calls(name: str, here: Place) -> list[Call]:
    """Every way to ask the specialist ``name``, filled in for this server."""
    url = f"{here.address}/v1/classify"
    body = json.dumps({"model": name, "input": _TEXT}, ensure_ascii=False)
    return [
        Call("curl", "curl", _curl(url, body, here.needs_key)),
        Call("python", "Python", _python(url, name, here.needs_key)),
        Call("javascript", "JavaScript", _javascript(url, name, here.needs_key)),
        Call("command", "Command line", f"metier run {shlex.quote(name)} {shlex.quote(_TEXT)}"),
    ]


def chat_calls(name: str, here: Place) -> list[Call]:
    """Every way to ask the chat specialist ``name``."""
    url = f"{here.address}/v1/chat/completions"
    messages = [{"role": "user", "content": _QUESTION}]
    body = json.dumps({"model": name, "messages": messages}, ensure_ascii=False)
    key = 'os.environ["METIER_KEY"]' if here.needs_key else '"none"'
    imports = "import os\n\n" if here.needs_key else ""
    python = f"""{imports}from openai import OpenAI

client = OpenAI(base_url={json.dumps(here.address + "/v1")}, api_key={key})
reply = client.chat.completions.create(
    model={json.dumps(name)},  # or {name}@remote:NAME for a base
    messages=[{{"role": "user", "content": {json.dumps(_QUESTION)}}}],
)
print(reply.choices[0].message.content)"""
    return [
        Call("curl", "curl", _curl(url, body, here.needs_key)),
        Call("python", "OpenAI", python),
        Call("javascript", "JavaScript", _chat_javascript(url, name, here.needs_key)),
        Call("mcp", "MCP", f"claude mcp add metier -- metier mcp\n# or {here.address}/mcp"),
        Call("command", "Command line", f"metier run {shlex.quote(name)} {shlex.quote(_QUESTION)}"),
    ]


def model_calls(name: str, here: Place) -> list[Call]:
    """Every way to talk to the local model ``name``."""
    first, python, javascript, _, command = chat_calls(name, here)
    plain = python._replace(code=python.code.replace(f"  # or {name}@remote:NAME for a base", ""))
    ollama = f"""from ollama import Client

reply = Client({json.dumps(here.address)}).chat(
    model={json.dumps(name)},
    messages=[{{"role": "user", "content": {json.dumps(_QUESTION)}}}],
)
print(reply.message.content)"""
    return [first, plain, Call("ollama", "Ollama", ollama), javascript, command]


def embed_calls(name: str, here: Place) -> list[Call]:
    """Every way to get vectors from the model ``name``."""
    url = f"{here.address}/v1/embeddings"
    body = json.dumps({"model": name, "input": ["one text", "another"]})
    key = 'os.environ["METIER_KEY"]' if here.needs_key else '"none"'
    imports = "import os\n\n" if here.needs_key else ""
    python = f"""{imports}from openai import OpenAI

client = OpenAI(base_url={json.dumps(here.address + "/v1")}, api_key={key})
reply = client.embeddings.create(model={json.dumps(name)}, input=["one text", "another"])
print(len(reply.data[0].embedding))"""
    return [
        Call("curl", "curl", _curl(url, body, here.needs_key)),
        Call("python", "OpenAI", python),
    ]


def search_calls(name: str, here: Place) -> list[Call]:
    """Every way to search the pack ``name``."""
    url = f"{here.address}/metier/v1/search"
    body = json.dumps({"model": name, "query": _QUESTION}, ensure_ascii=False)
    return [
        Call("curl", "curl", _curl(url, body, here.needs_key)),
        Call("mcp", "MCP", f"claude mcp add metier -- metier mcp\n# or {here.address}/mcp"),
        Call("command", "Command line", f"metier run {shlex.quote(name)} {shlex.quote(_QUESTION)}"),
    ]


def _chat_javascript(url: str, name: str, needs_key: bool) -> str:
    key = "\n    Authorization: `Bearer ${process.env.METIER_KEY}`," if needs_key else ""
    message = f'{{ role: "user", content: {json.dumps(_QUESTION)} }}'
    return f"""const reply = await fetch({json.dumps(url)}, {{
  method: "POST",
  headers: {{
    "Content-Type": "application/json",{key}
  }},
  body: JSON.stringify({{ model: {json.dumps(name)}, messages: [{message}] }}),
}});
const answer = await reply.json();
console.log(answer.choices[0].message.content);"""


def _curl(url: str, body: str, needs_key: bool) -> str:
    key = '  -H "Authorization: Bearer $METIER_KEY" \\\n' if needs_key else ""
    return (
        f"curl {shlex.quote(url)} \\\n{key}"
        f"  -H 'Content-Type: application/json' \\\n  -d {shlex.quote(body)}"
    )


def _python(url: str, name: str, needs_key: bool) -> str:
    imports = "import json, os, urllib.request" if needs_key else "import json, urllib.request"
    key = '\n        "Authorization": "Bearer " + os.environ["METIER_KEY"],' if needs_key else ""
    return f"""{imports}

request = urllib.request.Request(
    {json.dumps(url)},
    data=json.dumps({{"model": {json.dumps(name)}, "input": {json.dumps(_TEXT)}}}).encode(),
    headers={{
        "Content-Type": "application/json",{key}
    }},
)
answer = json.load(urllib.request.urlopen(request))
print(answer["label"], answer["probability"])"""


def _javascript(url: str, name: str, needs_key: bool) -> str:
    key = "\n    Authorization: `Bearer ${process.env.METIER_KEY}`," if needs_key else ""
    return f"""const reply = await fetch({json.dumps(url)}, {{
  method: "POST",
  headers: {{
    "Content-Type": "application/json",{key}
  }},
  body: JSON.stringify({{ model: {json.dumps(name)}, input: {json.dumps(_TEXT)} }}),
}});
const answer = await reply.json();
console.log(answer.label, answer.probability);"""
