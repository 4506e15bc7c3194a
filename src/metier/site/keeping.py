"""What the page *Fleet* shows: what is here, what it takes of memory and disk, what is coming.

It turns the fleet's JSON-like mapping into words and bars; it knows no HTML but the charts', and
asks nothing of anybody.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from metier.site import charts, making, watching, words

_KINDS = {
    "generate": "writes",
    "embed": "embeds",
    "rerank": "ranks",
    "classify": "classifies",
    "chat": "answers",
    "search": "documents",
    "base": "base",
}
_DONE = {
    "loaded": "{} is in memory.",
    "unloaded": "{} leaves memory as soon as it answers nobody.",
    "absent": "{} was not in memory.",
    "removed": "{} is removed. Its bytes stay until the next gc.",
}
_LIVE = ("queued", "running")


def fleet_values(fleet: Mapping[str, Any], query: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """Everything that the page shows."""
    wanted = query.casefold().split()
    rows = [_row(item) for item in fleet["specialists"]]
    shown = [row for row in rows if all(word in row["search"] for word in wanted)]
    shown.sort(key=lambda row: (not row["resident"], row["name"]))
    machine = fleet["machine"]
    pulls = list(fleet["downloads"])
    return {
        "rows": shown,
        "total": len(rows),
        "resident": sum(bool(row["resident"]) for row in rows),
        "files": [
            {"name": item["name"], "resident": _resident_words(item["resident"])}
            for item in fleet["files"]
        ],
        "query": query,
        "memory": _memory(machine["memory"]),
        "disk": _disk(machine["disk"]),
        "notices": watching.notices(fleet.get("notices") or ()),
        "downloads": [_download(job) for job in pulls],
        "coming": sum(job["state"] in _LIVE for job in pulls),
        "done": _done(fields),
        "problem": fields.get("problem", ""),
        "pull": fields.get("pull", ""),
    }


def _done(fields: Mapping[str, str]) -> str:
    what, name = fields.get("done", ""), fields.get("name", "")
    if what == "gc":
        count, _, size = name.partition(" ")
        if count.isdigit() and size.isdigit():
            if count == "0":
                return "The gc found nothing to remove."
            files = words.plural(int(count), "file")
            return f"The gc removed {files}: {words.size(int(size))} came back."
        return ""
    return _DONE[what].format(words.clip(name, 120)) if what in _DONE else ""


def _row(item: Mapping[str, Any]) -> dict[str, Any]:
    task = str(item.get("task") or item["kind"])
    facts = [_KINDS.get(task, task)]
    if item.get("parameters"):
        facts.append(f"{parameters(int(item['parameters']))} parameters")
    if item.get("quantization"):
        facts.append(str(item["quantization"]))
    if item.get("context"):
        facts.append(f"context {words.count(int(item['context']))}")
    if item.get("parent"):
        facts.append(f"over {item['parent']}")
    if item.get("labels"):
        facts.append(words.plural(int(item["labels"]), "label"))
    resident = item.get("resident")
    return {
        "name": item["name"],
        "page": item["page"],
        "facts": [words.clip(fact, 80) for fact in facts],
        "size": words.size(item["size_bytes"]),
        "resident": _resident_words(resident) if resident else None,
        "memory": words.size(resident["memory_bytes"]) if resident else "",
        "loadable": bool(item.get("loadable")),
        "over_base": task == "chat",
        "state": watching.STATES.get(str(item.get("state"))),
        "suspect": bool(item.get("suspect")),
        "proofs": _verdicts(item.get("evidence") or ()),
        "search": f"{item['name']} {task} {item.get('description', '')}".casefold()[:600],
    }


def parameters(number: int) -> str:
    """494032768 as "494 M", 1500000000 as "1.5 B"."""
    if number >= 999_500_000:
        return f"{number / 1e9:.1f}\u202fB"
    if number >= 999_500:
        return f"{round(number / 1e6)}\u202fM"
    return f"{round(number / 1e3)}\u202fk" if number >= 1000 else str(number)


def _verdicts(evidence: Sequence[Mapping[str, Any]]) -> list[words.VerdictWords]:
    """The verdict against the base, else against the general model: no other rival proves."""
    found = {str(one.get("against")): one for one in reversed(evidence)}
    for one in [found[role] for role in ("base", "general") if role in found][:1]:
        verdict = str(one.get("difference", {}).get("verdict", ""))
        return [told for key, told in words.VERDICTS.items() if key.value == verdict]
    return []


def _resident_words(resident: Mapping[str, Any]) -> list[str]:
    facts = [f"context {words.count(int(resident['context']))}"] if resident["context"] else []
    users = int(resident["users"])
    if users:
        facts.append(f"answers {words.plural(users, 'request')}")
    facts.append(stays(resident["expires"], time.time()))
    return facts


def stays(expires: float | None, now: float) -> str:
    """How long a model stays in memory."""
    if expires is None:
        return "stays"
    left = expires - now
    if left <= 1:
        return "goes now"
    return f"goes in {making.rounded(left)} if nobody asks"


def _memory(memory: Mapping[str, Any]) -> dict[str, Any]:
    used, room, total = int(memory["used"]), int(memory["room"]), int(memory["total"])
    share = used / room if room else 0.0
    limit = " (METIER_MEMORY)" if memory.get("limited") else ""
    return {
        "used": words.size(used),
        "room": words.size(room) + limit,
        "free": words.size(int(memory["free"])),
        "total": words.size(total),
        "bar": charts.probability_bar(share),
    }


def _disk(disk: Mapping[str, Any]) -> dict[str, Any]:
    reclaimable = disk["reclaimable"]
    return {
        "store": words.size(disk["store"]),
        "free": words.size(disk["free"]),
        "partial": words.size(disk["partial"]) if disk["partial"] else "",
        "reclaimable": "not known" if reclaimable is None else words.size(reclaimable),
        "nothing": reclaimable == 0,
        "problem": disk.get("problem"),
    }


def _download(job: Mapping[str, Any]) -> dict[str, Any]:
    progress = job.get("progress") or {}
    bytes_of = making.job_values(job)["bytes"] or {"done": "", "rate": ""}
    left = progress.get("seconds_left")
    return {
        "name": job["name"],
        "page": job["page"],
        "state": job["state"],
        "live": job["state"] in _LIVE,
        "said": _said(job),
        "fraction": progress.get("fraction"),
        "bytes": bytes_of["done"] if job["state"] != "done" else "",
        "rate": bytes_of["rate"],
        "left": f"about {making.rounded(left)} left"
        if left is not None and job["state"] == "running"
        else "",
        "error": job.get("error"),
        "resumable": bool(job.get("resumable")),
        "here": f"/specialists/{job['result']['name']}"
        if isinstance(job.get("result"), Mapping) and "name" in job["result"]
        else "",
        "when": words.moment(str(job.get("ended") or job["asked"])),
    }


def _said(job: Mapping[str, Any]) -> str:
    if job["state"] == "queued":
        return f"waits, position {job['position']}"
    if job["state"] == "running":
        return words.clip((job.get("progress") or {}).get("message", "starts"), 120)
    return {"done": "here", "interrupted": "interrupted"}.get(str(job["state"]), str(job["state"]))


def removal_values(removal: Mapping[str, Any]) -> dict[str, Any]:
    """What the page says before something is removed."""
    losses = []
    for kin in removal["made"]:
        name, how = words.clip(kin["name"], 80), str(kin["how"])
        if how in ("adapter", "other settings"):
            losses.append((name, "keeps working: it holds the same files itself"))
        elif how == "reads it":
            losses.append((name, "answers without these documents"))
        else:
            losses.append((name, "may answer no more: it stands on this base"))
    return {
        "size": words.size(removal["size_bytes"]),
        "losses": losses,
        "users": int(removal["users"]),
    }
