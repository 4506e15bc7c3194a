"""How much one request may ask: bytes, texts, characters, jobs.

It knows numbers only. They are generous for people and programs and far below what would exhaust
a laptop; a caller that needs more splits the work.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one server.

    Attributes:
        body_bytes: Largest body of a JSON request.
        picture_bytes: Largest body of a question, which may hold pictures in base64.
        blob_bytes: Largest part of a model that is sent in; the disk is the real limit.
        upload_bytes: Largest upload (data and eval file together).
        texts: Most texts in one call of ``/v1/classify``.
        text_characters: Longest single text.
        top: Most scores per answer.
        waiting_texts: Texts that may wait for one specialist before callers are told to come back.
        waiting_jobs: Jobs that may wait behind the one that runs.
        kept_jobs: Finished jobs that stay readable.
        kept_events: Progress events kept per job.
    """

    body_bytes: int = 8 * 1024 * 1024
    picture_bytes: int = 128 * 1024 * 1024
    blob_bytes: int = 1 << 42
    upload_bytes: int = 512 * 1024 * 1024
    texts: int = 2048
    text_characters: int = 100_000
    top: int = 1000
    waiting_texts: int = 20_000
    waiting_jobs: int = 20
    kept_jobs: int = 100
    kept_events: int = 2000


LIMITS = Limits()
