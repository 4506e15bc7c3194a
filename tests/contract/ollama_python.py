"""Every verb of the released Python client ``ollama``, on a server that is told by its address.

It runs in the clients' environment, knows nothing of Metier, and writes one JSON object: what each
verb gave, or the error it raised.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from pathlib import Path
from typing import Any

import ollama

HI = [{"role": "user", "content": "hi"}]
FEW = {"num_predict": 12, "seed": 1, "temperature": 0.5}
SCHEMA = {
    "type": "object",
    "properties": {"age": {"type": "integer"}, "ok": {"type": "boolean"}},
    "required": ["age", "ok"],
}
# One red point.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJg"
    "gg=="
)


def weather(city: str) -> str:
    """Tell the weather.

    Args:
        city: Where.
    """
    return city


def plain(value: Any) -> Any:
    """What a client gave, as JSON knows it."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


class Told:
    """What each verb gave."""

    def __init__(self, client: ollama.Client) -> None:
        self.client = client
        self.found: dict[str, Any] = {}

    def take(self, name: str, verb: Any, *given: Any, **fields: Any) -> Any:
        """Call and remember; a stream is read to its end."""
        try:
            value = verb(*given, **fields)
            if fields.get("stream"):
                value = list(value)
            self.found[name] = plain(value)
        except ollama.ResponseError as error:
            self.found[name] = {"error": error.error, "status": error.status_code}
        except (ValueError, ConnectionError) as error:
            self.found[name] = {"raised": f"{type(error).__name__}: {error}"}
            return None
        else:
            return value
        return None


def asking(told: Told) -> None:
    """chat and generate, in every way they may be asked."""
    chat, generate = told.client.chat, told.client.generate
    told.take("chat", chat, "tiny", HI, options=FEW)
    told.take("chat stream", chat, "tiny", HI, options=FEW, stream=True)
    told.take("chat tools", chat, "tiny", HI, options=FEW, tools=[weather])
    told.take("chat tools stream", chat, "tiny", HI, options=FEW, tools=[weather], stream=True)
    called = [
        *HI,
        {
            "role": "assistant",
            "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Rome"}}}],
        },
        {"role": "tool", "tool_name": "weather", "content": "sunny"},
    ]
    told.take("chat after a call", chat, "tiny", called, options=FEW, tools=[weather])
    more = {**FEW, "num_predict": 60}
    told.take("chat schema", chat, "tiny", HI, options=more, format=SCHEMA)
    told.take("chat json", chat, "tiny", HI, options=more, format="json")
    told.take("chat logprobs", chat, "tiny", HI, options=FEW, logprobs=True, top_logprobs=2)
    told.take("chat think", chat, "tiny", HI, think=True, options=FEW)
    told.take("chat think false", chat, "tiny", HI, think=False, options=FEW)
    seen = [{"role": "user", "content": "What is it?", "images": [PICTURE]}]
    told.take("chat images", chat, "tiny", seen)
    told.take("chat unknown", chat, "none", HI)
    told.take("chat unknown stream", chat, "none", HI, stream=True)
    told.take("chat bad option", chat, "tiny", HI, options={"num_ctx": "big"})
    told.take("chat load", chat, "tiny", [], keep_alive="10m")
    long = [{"role": "user", "content": "word " * 50_000}]
    told.take("chat too long", chat, "tiny", long, options=FEW)
    first = told.take("generate", generate, "tiny", "Once", options=FEW, system="Be brief.")
    told.take("generate stream", generate, "tiny", "Once", options=FEW, stream=True)
    context = first.context if first else None
    told.take("generate context", generate, "tiny", "More", options=FEW, context=context)
    told.take("generate raw", generate, "tiny", "Once", options=FEW, raw=True)
    told.take("generate suffix", generate, "tiny", "def f(", suffix="return 1", options=FEW)
    told.take("generate template", generate, "tiny", "Once", template="{{ .Prompt }}", options=FEW)
    told.take("generate json", generate, "tiny", "Once", options=more, format="json")
    told.take("generate stop", generate, "tiny", "Once", options={**FEW, "stop": ["a", "e", "t"]})
    told.take("ps", told.client.ps)
    told.take("generate unload", generate, "tiny", keep_alive=0)
    told.take("ps after", told.client.ps)


def keeping(told: Told, folder: Path) -> None:
    """Lists, names, blobs, create, pull and push."""
    client = told.client
    told.take("list", client.list)
    told.take("show", client.show, "tiny")
    told.take("show unknown", client.show, "none")
    told.take("embed", client.embed, "team/words:v1", ["hello", "world"])
    told.take("embed one", client.embed, "team/words:v1", "hello", truncate=True, dimensions=8)
    told.take("embeddings", client.embeddings, "team/words:v1", "hello")
    told.take("embed unable", client.embed, "ranks", "hello")
    mine = {"system": "Be brief.", "messages": HI, "license": "MIT"}
    few = {"temperature": 0.1, "stop": ["x"]}
    told.take("create", client.create, "mine", from_="tiny", parameters=few, **mine)
    bare = {"from_": "mine", "template": "{{ .Prompt }}"}
    told.take("create stream", client.create, "mine:2", stream=True, **bare)
    told.take("think unable", client.chat, "mine:2", HI, think=True)
    told.take("create unknown", client.create, "x", from_="none")
    told.take("show created", client.show, "mine")
    told.take("chat created", client.chat, "mine", HI, options={"num_predict": 4})
    blob = told.take("blob", client.create_blob, folder / "other.gguf")
    told.take("blob again", client.create_blob, folder / "other.gguf")
    told.take("create files", client.create, "loose", files={"other.gguf": blob})
    told.take("chat files", client.chat, "loose", HI, options={"num_predict": 4})
    told.take("copy", client.copy, "mine", "team/copy")
    told.take("copy unknown", client.copy, "none", "x")
    told.take("list copied", client.list)
    told.take("delete", client.delete, "team/copy")
    told.take("delete again", client.delete, "team/copy")
    told.take("push", client.push, "tiny")
    told.take("push stream", client.push, "tiny", stream=True)


def pulling(told: Told, name: str) -> None:
    """pull, from the hub that the server was given."""
    told.take("pull stream", told.client.pull, name, stream=True)
    told.take("pull", told.client.pull, name)
    told.take("pull unknown", told.client.pull, "hf.co/nobody/nothing", stream=True)
    told.take("chat pulled", told.client.chat, name, HI, options={"num_predict": 4})


async def many(address: str) -> list[str]:
    """Four streams at once by the asynchronous client."""
    client = ollama.AsyncClient(address)

    async def one() -> str:
        pieces = [piece async for piece in await client.chat("tiny", HI, stream=True, options=FEW)]
        return "".join(piece.message.content or "" for piece in pieces)

    return list(await asyncio.gather(*(one() for _ in range(4))))


def main() -> None:
    """Speak to the server at the first argument; the second is a folder, the third a name."""
    address, folder, *hub = sys.argv[1:]
    told = Told(ollama.Client(address))
    asking(told)
    keeping(told, Path(folder))
    if hub:
        pulling(told, hub[0])
    told.found["four streams"] = asyncio.run(many(address))
    sys.stdout.write(json.dumps(told.found))


if __name__ == "__main__":
    main()
