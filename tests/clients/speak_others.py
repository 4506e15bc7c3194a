"""The verbs of llm with llm-ollama, litellm and langchain-ollama: ``speak_others.py ADDRESS``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import litellm
from langchain_ollama import ChatOllama, OllamaEmbeddings
from speaking import CITY, QUESTION, TOOL, speak

ADDRESS = sys.argv[1]
PROMPT = QUESTION[0]["content"]
LLM = str(Path(sys.executable).with_name("llm"))
HOW = {"messages": QUESTION, "max_tokens": 12, "seed": 1, "temperature": 0}
OLLAMA = {**HOW, "model": "ollama_chat/tiny", "api_base": ADDRESS}
OPENAI = {**HOW, "model": "openai/tiny", "api_base": f"{ADDRESS}/v1", "api_key": "any"}


def llm(*words: str) -> str:
    done = subprocess.run([LLM, *words], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def llm_models():
    return llm("models")


def llm_chat():
    return llm(
        "-m",
        "ollama/tiny:latest",
        "--no-stream",
        "-o",
        "num_predict",
        "12",
        "-o",
        "temperature",
        "0",
        PROMPT,
    )


def llm_stream():
    return llm(
        "-m", "ollama/tiny:latest", "-o", "num_predict", "12", "-o", "temperature", "0", PROMPT
    )


def llm_embed():
    return llm("embed", "-m", "ollama/team/words:v1", "-c", "one")


def litellm_chat():
    return litellm.completion(**OLLAMA)


def litellm_stream():
    chunks = litellm.completion(**OLLAMA, stream=True)
    return [chunk.model_dump(mode="json") for chunk in chunks]


def litellm_generate():
    return litellm.completion(**{**OLLAMA, "model": "ollama/tiny"})


def litellm_tools():
    return litellm.completion(**{**OLLAMA, "max_tokens": 80}, tools=[TOOL])


def litellm_schema():
    schema = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}
    return litellm.completion(**{**OLLAMA, "max_tokens": 60}, response_format=schema)


def litellm_embedding():
    found = litellm.embedding(model="ollama/team/words:v1", input=["one"], api_base=ADDRESS)
    return len(found.data[0]["embedding"])


def litellm_openai_chat():
    return litellm.completion(**OPENAI)


def litellm_openai_stream():
    chunks = litellm.completion(**OPENAI, stream=True)
    return [chunk.model_dump(mode="json") for chunk in chunks]


def litellm_openai_tools():
    return litellm.completion(**{**OPENAI, "max_tokens": 80}, tools=[TOOL], tool_choice="required")


def litellm_openai_embedding():
    found = litellm.embedding(
        model="openai/team/words:v1", input=["one"], api_base=f"{ADDRESS}/v1", api_key="any"
    )
    return len(found.data[0]["embedding"])


def litellm_too_long():
    messages = [{"role": "user", "content": "word " * 60_000}]
    return litellm.completion(**{**OPENAI, "messages": messages})


def litellm_unknown():
    return litellm.completion(**{**OPENAI, "model": "openai/nobody"})


def langchain_chat():
    chat = ChatOllama(
        model="tiny", base_url=ADDRESS, num_predict=12, temperature=0, validate_model_on_init=True
    )
    return chat.invoke(PROMPT)


def langchain_stream():
    chat = ChatOllama(model="tiny", base_url=ADDRESS, num_predict=12, temperature=0)
    return [chunk.content for chunk in chat.stream(PROMPT)]


def langchain_schema():
    chat = ChatOllama(model="tiny", base_url=ADDRESS, num_predict=80, temperature=0)
    schema = {"title": "City", **CITY}
    return chat.with_structured_output(schema, method="json_schema").invoke(PROMPT)


def langchain_tools():
    chat = ChatOllama(model="tiny", base_url=ADDRESS, num_predict=12, temperature=0)
    return chat.bind_tools([TOOL]).invoke(PROMPT)


def langchain_embedding():
    return len(OllamaEmbeddings(model="team/words:v1", base_url=ADDRESS).embed_query("one"))


def langchain_unknown():
    return ChatOllama(model="nobody", base_url=ADDRESS, validate_model_on_init=True)


if __name__ == "__main__":
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    speak(
        verb
        for name, verb in list(globals().items())
        if name.startswith(("llm_", "litellm_", "langchain_"))
    )
