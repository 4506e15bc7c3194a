"""What openai-python and ollama-python hear from ``auto``: ``speak_auto.py ADDRESS``."""

from __future__ import annotations

import sys
from typing import Any

import ollama
import openai
from speaking import PIXEL, TOOL, plain, speak

ADDRESS = sys.argv[1]
OF_PYTHON = "Write a python function add_n0(a, b)."
ELSEWHERE = "What should I cook with leftover rice and two eggs?"
client = openai.OpenAI(base_url=f"{ADDRESS}/v1", api_key="any", max_retries=0, timeout=60)
local = ollama.Client(host=ADDRESS)
SHORT: dict[str, Any] = {"num_predict": 6, "temperature": 0}


def said(text: str) -> dict[str, Any]:
    return {
        "messages": [{"role": "user", "content": text}],
        "model": "auto",
        "max_tokens": 400,
        "temperature": 0,
    }


def openai_lists():
    return [model.id for model in client.models.list()]


def openai_chat():
    raw = client.chat.completions.with_raw_response.create(**said(OF_PYTHON))
    completion = raw.parse()
    headers = {name: raw.headers.get(f"x-metier-{name}") for name in ("model", "route", "why")}
    return {"headers": headers, "metier": completion.model_extra["metier"], **plain(completion)}


def openai_general():
    return client.chat.completions.create(**{**said(ELSEWHERE), "max_tokens": 6})


def openai_stream():
    chunks = client.chat.completions.create(**said(OF_PYTHON), stream=True)
    return [chunk.model_dump(mode="json") for chunk in chunks]


def openai_stream_helper():
    with client.chat.completions.stream(**said(OF_PYTHON)) as events:
        kinds = sorted({event.type for event in events})
        return {"kinds": kinds, "final": events.get_final_completion()}


def openai_domain():
    return client.chat.completions.create(**{**said(ELSEWHERE), "model": "auto:python"})


def openai_overrides():
    how = {**said(OF_PYTHON), "max_tokens": 6}
    by_header = client.chat.completions.create(**how, extra_headers={"X-Metier-Model": "tiny"})
    by_field = client.chat.completions.create(**how, extra_body={"metier": {"not": ["helper"]}})
    return [by_header.model, by_field.model]


def openai_tools():
    how = {**said(ELSEWHERE), "max_tokens": 80}
    first = client.chat.completions.create(**how, tools=[TOOL], tool_choice="required")
    message = first.choices[0].message
    loop = [
        *how["messages"],
        message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": OF_PYTHON},
    ]
    again = client.chat.completions.create(**{**how, "messages": loop}, tools=[TOOL])
    return [plain(first), plain(again)]


def openai_picture():
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    messages = [{"role": "user", "content": [part]}]
    return client.chat.completions.create(**{**said(""), "messages": messages})


def openai_unknown_domain():
    return client.chat.completions.create(**{**said(ELSEWHERE), "model": "auto:cooking"})


def ollama_lists():
    return [model.model for model in local.list().models]


def ollama_shows():
    return local.show("auto").capabilities


def ollama_chat():
    return local.chat("auto", messages=said(OF_PYTHON)["messages"])


def ollama_stream():
    pieces = local.chat("auto", messages=said(ELSEWHERE)["messages"], stream=True, options=SHORT)
    return [piece.model_dump(mode="json") for piece in pieces]


def ollama_generate():
    return local.generate("auto", prompt=ELSEWHERE, options=SHORT)


def ollama_domain():
    return local.chat("auto:python", messages=said(ELSEWHERE)["messages"])


def ollama_unknown_domain():
    return local.chat("auto:cooking", messages=said(ELSEWHERE)["messages"])


if __name__ == "__main__":
    verbs = [
        verb for name, verb in list(globals().items()) if name.startswith(("openai_", "ollama_"))
    ]
    speak(verbs)
