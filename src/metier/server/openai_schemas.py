"""JSON schemas of the bodies that OpenAI's routes read, for the OpenAPI document.

They describe; the reading modules check. A test holds both to each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metier.server.openai_fields import MOST_CHOICES, MOST_TOP_LOGPROBS

Schema = dict[str, Any]

_MODEL: Schema = {
    "type": "string",
    "minLength": 1,
    "description": "A model's name, as GET /v1/models lists it.",
}
_TEXTS: Schema = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_TOKENS: Schema = {
    "type": "array",
    "items": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
}


def _whole(low: int, high: int, **more: Any) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high, **more}


def _number(low: float, high: float, **more: Any) -> Schema:
    return {"type": "number", "minimum": low, "maximum": high, **more}


_SAMPLING: Mapping[str, Schema] = {
    "temperature": _number(0, 2, default=1),
    "top_p": _number(0, 1, default=1),
    "top_k": _whole(0, 1_000_000),
    "min_p": _number(0, 1),
    "repeat_penalty": _number(0, 10),
    "presence_penalty": _number(-2, 2),
    "frequency_penalty": _number(-2, 2),
    "logit_bias": {"type": "object", "additionalProperties": _number(-100, 100)},
    "seed": _whole(-(2**63), 2**64 - 1),
    "stop": _TEXTS,
    "max_tokens": _whole(1, 10_000_000),
    "max_completion_tokens": _whole(1, 10_000_000),
    "n": _whole(1, MOST_CHOICES, default=1),
    "stream": {"type": "boolean", "default": False},
    "stream_options": {
        "type": "object",
        "properties": {"include_usage": {"type": "boolean", "default": False}},
    },
    "user": {"type": "string", "description": "Read and left alone."},
}
_FORMAT: Schema = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"enum": ["text", "json_object", "json_schema"]},
        "json_schema": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "schema": {"type": "object"},
                "strict": {"type": "boolean"},
            },
        },
    },
}
_FUNCTION: Schema = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "description": {"type": "string"},
        "parameters": {"type": "object"},
    },
}
_TOOL: Schema = {
    "type": "object",
    "required": ["type", "function"],
    "properties": {"type": {"const": "function"}, "function": _FUNCTION},
}
_PART: Schema = {
    "anyOf": [
        {
            "type": "object",
            "required": ["type", "text"],
            "properties": {"type": {"const": "text"}, "text": {"type": "string"}},
        },
        {
            "type": "object",
            "required": ["type", "image_url"],
            "properties": {
                "type": {"const": "image_url"},
                "image_url": {
                    "type": "object",
                    "required": ["url"],
                    "properties": {
                        "url": {"type": "string", "description": "data:image/png;base64,…"}
                    },
                },
            },
        },
    ]
}
_CALL: Schema = {
    "type": "object",
    "required": ["id", "type", "function"],
    "properties": {
        "id": {"type": "string"},
        "type": {"const": "function"},
        "function": {
            "type": "object",
            "required": ["name", "arguments"],
            "properties": {
                "name": {"type": "string"},
                "arguments": {"type": "string", "description": "A JSON object in a text."},
            },
        },
    },
}
_MESSAGE: Schema = {
    "type": "object",
    "required": ["role", "content"],
    "properties": {
        "role": {"enum": ["system", "developer", "user", "assistant", "tool"]},
        "content": {
            "anyOf": [{"type": "string"}, {"type": "array", "items": _PART}, {"type": "null"}]
        },
        "name": {"type": "string"},
        "reasoning": {"type": "string"},
        "tool_calls": {"type": "array", "items": _CALL},
        "tool_call_id": {"type": "string"},
    },
}
_EFFORT: Schema = {"enum": ["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"]}
CHAT: Schema = {
    "type": "object",
    "required": ["model", "messages"],
    "properties": {
        "model": {
            **_MODEL,
            "description": "A model, a specialist (`sveltekit`), or a specialist over a base "
            "(`sveltekit@remote:NAME`).",
        },
        "messages": {"type": "array", "minItems": 1, "items": _MESSAGE},
        **_SAMPLING,
        "logprobs": {"type": "boolean", "default": False},
        "top_logprobs": _whole(0, MOST_TOP_LOGPROBS),
        "response_format": _FORMAT,
        "grammar": {"type": "string", "description": "GBNF, instead of response_format."},
        "tools": {"type": "array", "items": _TOOL},
        "tool_choice": {
            "anyOf": [
                {"enum": ["auto", "none", "required"]},
                {
                    "type": "object",
                    "required": ["type", "function"],
                    "properties": {
                        "type": {"const": "function"},
                        "function": {
                            "type": "object",
                            "required": ["name"],
                            "properties": {"name": {"type": "string"}},
                        },
                    },
                },
            ]
        },
        "parallel_tool_calls": {"type": "boolean", "default": True},
        "reasoning_effort": _EFFORT,
        "reasoning": {"type": "object", "properties": {"effort": _EFFORT}},
        "metier": {
            "type": "object",
            "description": "For specialists: base, candidates, repairs, documents, tools, "
            "first_draft, tokens, seconds, trace.",
        },
    },
}
TEXT: Schema = {
    "type": "object",
    "required": ["model", "prompt"],
    "properties": {
        "model": _MODEL,
        "prompt": {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "minItems": 1, "items": {"type": "string"}},
                {**_TOKENS, "minItems": 1},
                {"type": "array", "minItems": 1, "items": {**_TOKENS, "minItems": 1}},
            ]
        },
        "suffix": {"type": "string", "description": "What follows the gap after the prompt."},
        "echo": {"type": "boolean", "default": False},
        "logprobs": _whole(0, MOST_TOP_LOGPROBS),
        "best_of": _whole(1, 1, description="Answers are not ranked here."),
        **_SAMPLING,
        "max_tokens": _whole(1, 10_000_000, default=16),
    },
}
EMBEDDINGS: Schema = {
    "type": "object",
    "required": ["model", "input"],
    "properties": {
        "model": _MODEL,
        "input": {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "minItems": 1, "maxItems": 2048, "items": {"type": "string"}},
            ]
        },
        "encoding_format": {"enum": ["float", "base64"], "default": "float"},
        "dimensions": _whole(1, 1_000_000),
        "user": {"type": "string", "description": "Read and left alone."},
    },
}
RERANK: Schema = {
    "type": "object",
    "required": ["model", "query", "documents"],
    "properties": {
        "model": _MODEL,
        "query": {"type": "string", "minLength": 1},
        "documents": {
            "type": "array",
            "minItems": 1,
            "maxItems": 2048,
            "items": {
                "anyOf": [
                    {"type": "string"},
                    {
                        "type": "object",
                        "required": ["text"],
                        "properties": {"text": {"type": "string"}},
                    },
                ]
            },
        },
        "top_n": _whole(1, 2**31),
        "return_documents": {"type": "boolean", "default": True},
    },
}
_ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": "string"},
            },
        }
    },
}


def described(schema: Schema) -> dict[str, Any]:
    """The request body and the errors of a route, for the OpenAPI document."""
    error = {"application/json": {"schema": _ERROR}}
    said = {
        "400": "A field is wrong; the error names it",
        "404": "No such model",
        "413": "The body is too large",
        "503": "Too many wait, or the model could not be loaded; retry-after says when",
    }
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {
            status: {"description": text, "content": error} for status, text in said.items()
        },
    }
