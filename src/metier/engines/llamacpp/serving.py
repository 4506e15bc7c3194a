"""The server of xllamacpp as this engine uses it: loaded once, asked in JSON, refusals as errors.

It runs inside the worker. It knows the library's parameters and replies, and what of them differs
from llama-server's defaults, each with its reason; it knows no template and no pipe.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from metier.engines.llamacpp.plan import LISTENER, Plan
from metier.errors import InputError, InternalError, MetierError, UnavailableError

_MOST_AT_ONCE: Final = 512  # more costs memory for buffers and is no faster on processors
_MOST_EMBEDDED: Final = 8192  # tokens of one text that go through the model at once
_POOLED_BY_LAST: Final = 3  # LLAMA_POOLING_TYPE_LAST
_RANKING: Final = 4  # LLAMA_POOLING_TYPE_RANK
_UNCHANGED: Final = (
    "{%- for m in messages %}{%- if m.content is string %}{{- m.content }}{%- else %}"
    "{%- for p in m.content %}{{- p.text }}{%- endfor %}{%- endif %}{%- endfor %}"
)
OnChunk = Callable[[dict[str, Any]], bool]
"""Receives a chunk of an answer; says whether it is to stop."""


class Served:
    """One loaded base with its adapters; threads share it.

    Args:
        plan: What to load.
        context: Tokens of context for one request.
        pools: Whether the model itself says how it pools.

    Raises:
        UnavailableError: ``engine_failed``.
    """

    def __init__(self, plan: Plan, *, context: int, pools: bool) -> None:
        import xllamacpp

        self.plan = plan
        self.context = context
        try:
            self._server = xllamacpp.Server(parameters_of(xllamacpp, plan, context, pools))
        except (RuntimeError, ValueError) as failure:
            raise UnavailableError(
                "The engine could not load the model.", code="engine_failed"
            ) from failure

    @property
    def sees(self) -> bool:
        """Whether it can see pictures."""
        return bool(self.plan.projector)

    def adapters(self, scales: Mapping[str, float]) -> list[dict[str, Any]]:
        """The list that every request carries: all adapters, those that are off too.

        A request without the list, or with a shorter one, takes over the cache that another
        adapter left in its slot, and answers wrongly.

        Raises:
            InternalError: ``no_adapter``: one that this worker was not started with.
        """
        missing = scales.keys() - {digest for digest, _ in self.plan.adapters} - {""}
        if missing:
            raise InternalError(
                f"The adapter {min(missing)[:19]} is not loaded beside this base.",
                code="no_adapter",
            )
        return [
            {"id": number, "scale": float(scales.get(digest, 0.0))}
            for number, (digest, _) in enumerate(self.plan.adapters)
        ]

    def complete(self, body: Mapping[str, Any], on_chunk: OnChunk) -> None:
        """Write; every chunk goes to ``on_chunk``, or the whole at once if ``body`` says so.

        Raises:
            MetierError: What the server refuses.
        """
        failed: list[Exception] = []

        def receive(data: bytes) -> bool:
            try:
                chunk = json.loads(data)
                if "error" in chunk:
                    raise refusal(chunk["error"])
                return on_chunk(_as_completion(chunk) if "messages" in body else chunk)
            except Exception as error:  # noqa: BLE001  the library would swallow it; raised below
                failed.append(error)
                return True

        with _refusing():
            if "messages" in body:
                sent = {**body, "reasoning_format": "none"}
                if "n_probs" in body:
                    sent |= {"logprobs": True, "top_logprobs": body["n_probs"]}
                self._server.handle_chat_completions(_line(sent), receive)
            else:
                self._server.handle_completions(_line(body), receive)
        if failed:
            raise failed[0]

    def embed(self, prompts: list[list[int]]) -> list[list[float]]:
        """Pooled vectors of tokenised texts, not normalised.

        Raises:
            MetierError: What the server refuses.
        """
        body = {"input": prompts, "embd_normalize": -1}
        with _refusing():
            reply = json.loads(self._server.handle_embeddings(json.dumps(body).encode()))
        if "error" in reply:
            raise refusal(reply["error"])
        found = sorted(reply["data"], key=lambda item: int(item["index"]))
        return [item["embedding"] for item in found]

    def rank(self, query: str, documents: list[str]) -> tuple[list[tuple[int, float]], int]:
        """Place and score of each document, best first, and the tokens that it took.

        Raises:
            MetierError: What the server refuses.
        """
        body = {"query": query, "documents": documents, "top_n": len(documents)}
        with _refusing():
            reply = json.loads(self._server.handle_rerank(json.dumps(body).encode()))
        if "error" in reply:
            raise refusal(reply["error"])
        found = [(int(item["index"]), float(item["relevance_score"])) for item in reply["results"]]
        found.sort(key=lambda item: (-item[1], item[0]))
        return found, int(reply["usage"]["total_tokens"])


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """What the library raises instead of replying is a refusal too."""
    try:
        yield
    except (ValueError, RuntimeError) as failure:
        raise refusal({"code": 400, "message": str(failure)}) from failure


def _line(body: Mapping[str, Any]) -> bytes:
    return json.dumps({"stream": True, **body}, separators=(",", ":")).encode()


def _as_completion(chunk: dict[str, Any]) -> dict[str, Any]:
    """A chunk of a chat in the shape of a completion's."""
    choice = chunk["choices"][0]
    said = {"tokens": [], "tokens_predicted": 0, "tokens_evaluated": 0}
    said |= chunk.get("__verbose", {})
    text = choice["delta"].get("content") or ""
    usage = {
        "prompt_tokens": said["tokens_evaluated"],
        "completion_tokens": said["tokens_predicted"],
    }
    whole = {"logprobs": None, **choice, "text": text}
    return {"usage": usage, **chunk, "choices": [whole], "__verbose": said}


def refusal(error: Mapping[str, Any]) -> MetierError:
    """What the server refused, as one of our errors."""
    message = str(error.get("message", "no message"))
    if error.get("type") == "exceed_context_size_error":
        return too_long(int(error["n_prompt_tokens"]), int(error["n_ctx"]))
    if "grammar" in message.lower() or "schema" in message.lower():
        return InputError(
            f"The engine does not understand the grammar or schema: {message}.",
            code="bad_grammar",
        )
    if "image" in message.lower() or "media" in message.lower():
        return InputError(f"A picture cannot be read: {message}.", code="bad_picture")
    if error.get("code") == 400:
        return InputError(f"The engine refuses the request: {message}.", code="bad_options")
    if error.get("code") == 501:
        return InputError(f"The model cannot do that: {message}.", code="no_capability")
    return UnavailableError(
        f"The engine failed while it answered: {message}.", code="engine_failed", retryable=True
    )


def too_long(tokens: int, context: int) -> InputError:
    """A prompt that does not fit."""
    return InputError(
        f"The prompt has {tokens:,} tokens and the context has room for {context:,}.",
        code="prompt_too_long",
        remedy="Shorten it, or load the model with a larger num_ctx.",
        details={"tokens": tokens, "context": context},
    )


def parameters_of(library: Any, plan: Plan, context: int, pools: bool) -> Any:
    """The library's parameters for a plan; ``pools``: whether the model says how it pools."""
    chosen = library.CommonParams()
    chosen.model.path = plan.model
    chosen.model_alias = {"model"}  # else each chunk repeats the path
    chosen.hostnames = [LISTENER]
    chosen.n_threads_http = 1  # nobody can call it
    chosen.endpoint_slots = False
    chosen.verbosity = 2  # warnings
    chosen.n_parallel = plan.parallel
    # One cache that all requests share: memory does not grow with their number.
    chosen.kv_unified = plan.shared
    chosen.n_ctx = context if plan.shared else context * plan.parallel
    chosen.n_batch = plan.batch
    chosen.n_ubatch = min(plan.batch, _MOST_AT_ONCE)
    chosen.cpuparams.n_threads = chosen.cpuparams_batch.n_threads = plan.threads
    chosen.n_gpu_layers = plan.gpu_layers
    chosen.main_gpu = plan.main_gpu
    if not plan.use_mmap:
        chosen.load_mode = library.llama_load_mode.LLAMA_LOAD_MODE_NONE
    # The cache in the host's memory knows no adapters: it answers from another one's cache.
    chosen.cache_ram_mib = -1 if "host_cache" in plan.traps else 0
    chosen.cache_idle_slots = False  # it is a part of that cache
    chosen.lora_adapters = [library.CommonAdapterLoraInfo(file, 0.0) for _, file in plan.adapters]
    chosen.mmproj.path = plan.projector
    if plan.projector:  # pictures come through chats only: what we have rendered passes unchanged
        chosen.use_jinja = True
        chosen.chat_template = _UNCHANGED
        chosen.force_pure_content_parser = True
    chosen.ctx_shift = True  # a request that may not shift is given a limit instead
    chosen.warmup = False
    chosen.fit_params = False  # the scheduler has sized the context
    if plan.task != "generate":
        chosen.embedding = True
        chosen.n_batch = chosen.n_ubatch = min(context, _MOST_EMBEDDED)
        if plan.task == "rerank":
            chosen.pooling_type = library.llama_pooling_type(_RANKING)
        elif not pools:
            chosen.pooling_type = library.llama_pooling_type(_POOLED_BY_LAST)
    return chosen
