"""The verbs of openai-python: ``speak_openai.py ADDRESS``."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Literal

import openai
from pydantic import BaseModel
from speaking import CITY, PIXEL, QUESTION, TOOL, speak

client = openai.OpenAI(base_url=f"{sys.argv[1]}/v1", api_key="any", max_retries=0, timeout=60)
HOW: dict[str, Any] = {"model": "tiny", "messages": QUESTION, "max_tokens": 12, "seed": 1}


class City(BaseModel):
    city: Literal["Paris", "Rome"]


def models():
    return [model.id for model in client.models.list()]


def model_with_a_tag():
    return client.models.retrieve("tiny:latest")


def model_with_a_slash():
    return client.models.retrieve("team/words:v1")


def adapter():
    return client.models.retrieve("tiny-adapter")


def chat():
    raw = client.chat.completions.with_raw_response.create(**HOW)
    return {**raw.parse().model_dump(mode="json"), "request_id": raw.request_id}


def chat_by_an_adapter():
    return client.chat.completions.create(**{**HOW, "model": "tiny-adapter"})


def same_seed():
    return [client.chat.completions.create(**HOW).choices[0].message.content for _ in range(2)]


def choices():
    return client.chat.completions.create(**HOW, n=3)


def sampling():
    return client.chat.completions.create(
        **HOW,
        temperature=0.2,
        top_p=0.9,
        presence_penalty=0.5,
        frequency_penalty=0.5,
        logit_bias={"17": -100},
        user="somebody",
        extra_body={"top_k": 5, "min_p": 0.05, "repeat_penalty": 1.1},
    )


def stop():
    whole = client.chat.completions.create(**{**HOW, "temperature": 0}).choices[0].message.content
    cut = client.chat.completions.create(**{**HOW, "temperature": 0}, stop=[whole[3:5]])
    return {"whole": whole, "stop": whole[3:5], "cut": cut}


def completion_tokens():
    how = {**HOW, "max_tokens": None}
    return client.chat.completions.create(**how, max_completion_tokens=3)


def logprobs():
    return client.chat.completions.create(**HOW, logprobs=True, top_logprobs=3)


def stream():
    chunks = client.chat.completions.create(
        **HOW, stream=True, stream_options={"include_usage": True}
    )
    return [chunk.model_dump(mode="json") for chunk in chunks]


def stream_of_choices():
    return [
        chunk.model_dump(mode="json")
        for chunk in client.chat.completions.create(**HOW, stream=True, n=2)
    ]


def stream_helper():
    short = {"grammar": 'root ::= "yes" | "no"'}
    with client.chat.completions.stream(**HOW, extra_body=short) as events:
        kinds = sorted({event.type for event in events})
        return {"kinds": kinds, "final": events.get_final_completion()}


def streamed_logprobs():
    chunks = client.chat.completions.create(**HOW, stream=True, logprobs=True, top_logprobs=2)
    return [chunk.model_dump(mode="json") for chunk in chunks]


def json_object():
    how = {**HOW, "max_tokens": 200}
    return client.chat.completions.create(**how, response_format={"type": "json_object"})


def strict_schema():
    schema = {"name": "city", "schema": CITY, "strict": True}
    form = {"type": "json_schema", "json_schema": schema}
    return client.chat.completions.create(**{**HOW, "max_tokens": 60}, response_format=form)


def parsed():
    how = {**HOW, "max_tokens": 60}
    found = client.chat.completions.parse(**how, response_format=City)
    return found.choices[0].message.parsed


def grammar():
    return client.chat.completions.create(**HOW, extra_body={"grammar": 'root ::= "yes" | "no"'})


def tool_required():
    how = {**HOW, "max_tokens": 80}
    return client.chat.completions.create(**how, tools=[TOOL], tool_choice="required")


def tool_named():
    choice = {"type": "function", "function": {"name": "weather"}}
    how = {**HOW, "max_tokens": 80}
    return client.chat.completions.create(**how, tools=[TOOL], tool_choice=choice)


def tool_auto():
    return client.chat.completions.create(**HOW, tools=[TOOL], tool_choice="auto")


def tool_none():
    return client.chat.completions.create(**HOW, tools=[TOOL], tool_choice="none")


def tool_stream():
    how = {**HOW, "max_tokens": 80}
    chunks = client.chat.completions.create(
        **how, tools=[TOOL], tool_choice="required", stream=True, parallel_tool_calls=False
    )
    return [chunk.model_dump(mode="json") for chunk in chunks]


def tool_loop():
    first = tool_required().choices[0].message
    call = first.tool_calls[0]
    messages = [
        *QUESTION,
        first.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "Sunny."},
    ]
    return client.chat.completions.create(**{**HOW, "messages": messages}, tools=[TOOL])


def reasoning():
    return client.chat.completions.create(**HOW, reasoning_effort="none")


def reasoning_unknown():
    return client.chat.completions.create(**HOW, extra_body={"reasoning_effort": "much"})


def picture_from_elsewhere():
    part = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    return client.chat.completions.create(
        model="tiny", messages=[{"role": "user", "content": [part]}]
    )


def picture_for_the_blind():
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    return client.chat.completions.create(
        model="tiny", messages=[{"role": "user", "content": [part]}]
    )


def parts():
    content = [{"type": "text", "text": "Hello"}, {"type": "text", "text": "there"}]
    developer = {"role": "developer", "content": "Be brief."}
    messages = [developer, {"role": "user", "content": content}]
    return client.chat.completions.create(**{**HOW, "messages": messages})


def too_long():
    messages = [{"role": "user", "content": "word " * 60_000}]
    return client.chat.completions.create(model="tiny", messages=messages)


def unknown_model():
    return client.chat.completions.create(**{**HOW, "model": "nobody"})


def classifier():
    return client.chat.completions.create(**{**HOW, "model": "message-spam"})


def continued():
    return client.completions.create(
        model="tiny", prompt="Once upon", max_tokens=6, echo=True, temperature=0
    )


def continued_by_default():
    return client.completions.create(model="tiny", prompt="Once upon", temperature=0)


def prompts():
    return client.completions.create(model="tiny", prompt=["One", "Two"], max_tokens=4, n=2)


def prompt_of_tokens():
    return client.completions.create(
        model="tiny", prompt=[40, 41, 42], max_tokens=4, logprobs=2, temperature=0
    )


def gap():
    return client.completions.create(
        model="tiny", prompt="def add(", suffix="return a + b", max_tokens=6, temperature=0
    )


def continued_stream():
    chunks = client.completions.create(
        model="tiny",
        prompt="Once",
        max_tokens=6,
        temperature=0,
        stream=True,
        stream_options={"include_usage": True},
    )
    return [chunk.model_dump(mode="json") for chunk in chunks]


def ranked_answers():
    return client.completions.create(model="tiny", prompt="Once", best_of=3, max_tokens=4)


def embeddings():
    packed = client.embeddings.create(model="team/words:v1", input=["one", "two"])
    numbers = client.embeddings.create(
        model="team/words:v1", input=["one", "two"], encoding_format="float"
    )
    return {"packed": packed, "numbers": numbers}


def embedding_of_one():
    return client.embeddings.create(model="team/words:v1", input="one", dimensions=8)


def embedding_of_tokens():
    return client.embeddings.create(model="team/words:v1", input=[1, 2, 3])


def embedding_too_long():
    return client.embeddings.create(model="team/words:v1", input="word " * 20_000)


def embedding_by_a_writer():
    return client.embeddings.create(model="tiny", input="one")


def at_once():
    async def ask():
        other = openai.AsyncOpenAI(base_url=f"{sys.argv[1]}/v1", api_key="any", max_retries=0)
        async with other:
            return await asyncio.gather(
                *(other.chat.completions.create(**{**HOW, "seed": seed}) for seed in range(6))
            )

    return [answer.choices[0].finish_reason for answer in asyncio.run(ask())]


def rerank():
    return client.post(
        "/rerank",
        body={"model": "ranks", "query": "a", "documents": ["a", {"text": "b"}], "top_n": 1},
        cast_to=object,
    )


if __name__ == "__main__":
    verbs = [
        verb
        for name, verb in list(globals().items())
        if getattr(verb, "__module__", "") == "__main__" and type(verb).__name__ == "function"
    ]
    speak(verbs)
