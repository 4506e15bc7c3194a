"""The names that people give to columns and to splits.

It knows which words mean text, label, group, date and split; it looks at no values.
"""

from __future__ import annotations

from collections.abc import Iterable

TEXT = ("text",)
TEXT_LIKE = (
    "texts", "utterance", "utterances", "sentence", "sentences", "query", "queries", "question",
    "message", "msg", "content", "contents", "review", "comment", "tweet", "post", "document",
    "doc", "body", "prompt", "input", "request", "sms", "email", "headline", "title",
    "description", "phrase", "example", "text_content", "user_input",
)  # fmt: skip
LABEL = ("label",)
LABEL_LIKE = (
    "labels", "intent", "intents", "category", "categories", "class", "classes", "target", "topic",
    "tag", "sentiment", "label_text", "label_name", "labeltext", "intent_name", "class_name",
    "category_name", "output", "y",
)  # fmt: skip
GROUP = (
    "group", "group_id", "groups", "cluster", "cluster_id", "conversation_id", "thread_id",
    "session_id", "family",
)  # fmt: skip
DATE = ("date", "created_at", "created", "timestamp", "datetime")
SPLIT = ("split", "set", "subset", "fold", "partition")
_SPLITS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluation": "test",
    "valid": "valid",
    "validation": "valid",
    "val": "valid",
    "dev": "valid",
    "development": "valid",
}


def folded(name: str) -> str:
    """A column's name as it is compared: case, blanks and dashes folded away."""
    return "_".join(name.replace("-", " ").replace("_", " ").casefold().split())


def known(name: str) -> bool:
    """Whether a cell reads like the name of a column that matters."""
    word = folded(name)
    return any(word in words for words in (TEXT, TEXT_LIKE, LABEL, LABEL_LIKE, GROUP, DATE, SPLIT))


def matching(columns: Iterable[str], words: tuple[str, ...]) -> list[str]:
    """The columns whose folded name is one of ``words``, in their own order."""
    return [column for column in columns if folded(column) in words]


def split_name(value: str) -> str | None:
    """``train``, ``valid`` or ``test`` if the value means one of them."""
    return _SPLITS.get(value.strip().casefold())
