"""What the pages of *Make* show: rows as they were recognised, and jobs as they go.

It turns JSON-like mappings into words, bars and tables; it knows no HTML but the charts', and asks
nothing of anybody.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from metier.card import Rung
from metier.site import charts, evidence, words

SHOWN_LABELS = 12
SHOWN_COLUMNS = 6
MENDED = frozenset(
    {
        "empty_text",
        "empty_label",
        "one_example",
        "ragged_row",
        "invalid_json",
        "mixed_types",
        "labels_are_text",
        "broken_characters",
    }
)
"""Faults of single rows, which can be left out."""
PLANNED = (
    ("majority", "most frequent label"),
    ("linear", "words and characters + linear"),
    ("static", "static embeddings + linear"),
    ("encoder-int8", "frozen encoder + linear"),
    ("ensemble", "ensemble"),
)
_STATES = {
    "queued": "waits",
    "running": "runs",
    "done": "done",
    "failed": "failed",
    "stopped": "stopped",
    "interrupted": "interrupted",
}
_KINDS = {
    "make": "Make",
    "find": "Find by eval",
    "pull": "Pull",
    "evaluate": "Evaluate",
    "compare": "Compare",
    "verify": "Verify",
    "hop": "Hop",
}
_RUNS_AGAIN = {
    "make": "Resuming reads the rows and looks for leaks once more; rungs that were climbed and "
    "texts that were encoded are not done again.",
    "hop": "Resuming makes nothing again that was made, and asks nothing again that was answered.",
    "pull": "Resuming goes on where it stopped; what came is kept for a week.",
}


def looked(look: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that the page of an upload shows."""
    found, fields = look["found"], look["fields"]
    problem = found.get("problem")
    columns = [str(column["name"]) for column in found["columns"]]
    return {
        "source": found["source"],
        "facts": _facts(found),
        "fault": _fault(problem, found) if problem else None,
        "roles": [
            {
                "role": role,
                "title": title,
                "value": fields.get(role, ""),
                "found": found.get(role),
                "columns": columns,
            }
            for role, title in (
                ("text", "Texts stand in"),
                ("label", "Labels stand in"),
                ("group", "Groups stand in"),
            )
        ],
        "head": _head(found, columns),
        "labels": _labels(found),
        "division": _division(found),
        "leaks": _leaks(found.get("leaks")),
        "notes": [str(note) for note in found["notes"]],
        "expected": _expected(found.get("expected")),
        "command": command_of(look),
        "ready": problem is None,
    }


def _facts(found: Mapping[str, Any]) -> list[str]:
    facts = []
    if found.get("format"):
        more = "" if found["whole"] else "the first "
        facts.append(f"{more}{words.plural(found['rows'], 'row')}")
        how = str(found["format"]).upper().replace("JSONL", "JSON Lines")
        named = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
        delimiter = found.get("delimiter")
        facts.append(how + (f", parted by {named.get(delimiter, delimiter)}" if delimiter else ""))
        facts.append(str(found["encoding"]).upper().replace("-SIG", " with a mark"))
        if found.get("header") is False:
            facts.append("no line of column names")
    facts.append(words.size(found["bytes"]))
    return facts


def _fault(problem: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    details = problem["details"]
    rows = details.get("problems") or []
    count = int(details.get("count") or len(rows))
    return {
        "message": problem["message"],
        "remedy": str(problem["remedy"] or "").replace("--", ""),
        "rows": [
            {"place": row.get("place") or f"line {row.get('row')}", "what": row.get("what", "")}
            for row in rows
            if isinstance(row, Mapping)
        ],
        "more": max(0, count - len(rows)) if rows else 0,
        "mended": problem["code"] in MENDED
        and bool(found.get("text") and found.get("label"))
        and (problem["code"] != "labels_are_text" or bool(rows)),
        "count": count,
    }


def _head(found: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    """The first rows; the columns that have a role stand first."""
    roles = {
        str(found[role]): role
        for role in ("text", "label", "group", "split", "date")
        if found.get(role)
    }
    order = [name for name in roles if name in columns]
    order += [name for name in columns if name not in roles]
    places = [columns.index(name) for name in order[:SHOWN_COLUMNS]]
    return {
        "columns": [{"name": name, "role": roles.get(name, "")} for name in order[:SHOWN_COLUMNS]],
        "rows": [
            {"row": row["row"], "values": [row["values"][place] for place in places]}
            for row in found["head"]
        ],
        "left": max(0, len(order) - SHOWN_COLUMNS),
    }


def _labels(found: Mapping[str, Any]) -> dict[str, Any]:
    counts = [(str(name), int(count)) for name, count in found["labels"]]
    most = max((count for _, count in counts), default=1)
    whole = sum(count for _, count in counts) or 1
    rows = [
        {
            "name": name,
            "count": words.count(count),
            "share": words.percent(count / whole),
            "bar": charts.probability_bar(count / most),
            "few": count < 10,
        }
        for name, count in counts
    ]
    few = sum(count < 10 for _, count in counts)
    return {
        "total": len(rows),
        "first": rows[:SHOWN_LABELS],
        "rest": rows[SHOWN_LABELS:500],
        "few": f"{words.plural(few, 'label')} {'has' if few == 1 else 'have'} fewer than 10 rows: "
        "expect wide intervals there."
        if few
        else "",
    }


def _division(found: Mapping[str, Any]) -> str:
    division = found.get("division")
    if not division:
        return ""
    train, sealed = (
        words.plural(division["train"], "row"),
        words.plural(division["eval"], "row"),
    )
    how = "as the rows say" if division["given"] else "set aside by chance, stratified by label"
    return f"{train} to learn from; {sealed} sealed as the eval, {how}."


def _leaks(leaks: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if leaks is None:
        return None
    leaked, items = int(leaks["leaked"]), int(leaks["eval_items"])
    if leaked:
        sentence = (
            f"{words.count(leaked)} of {words.plural(items, 'eval row')} "
            f"({words.percent(leaks['share'])}) also stand in the rows to learn from."
        )
    else:
        sentence = f"No leak was found among {words.plural(items, 'eval row')}."
    if leaks["blocks_win"]:
        sentence += " That is too much: no WIN can be given."
    looked_at, of = leaks["looked_at"], leaks["of"]
    part = (
        f"Looked at {words.count(looked_at[0])} of {words.count(of[0])} rows to learn from and "
        f"{words.count(looked_at[1])} of {words.count(of[1])} eval rows; a make looks at all."
        if leaks["part"]
        else ""
    )
    duplicates = int(leaks["duplicate_train_rows"])
    conflicts = int(leaks["conflicting_labels"])
    return {
        "sentence": sentence,
        "leaked": leaked,
        "blocks": bool(leaks["blocks_win"]),
        "part": part,
        "duplicates": f"{words.plural(duplicates, 'row')} to learn from "
        f"{'repeats' if duplicates == 1 else 'repeat'} another."
        if duplicates
        else "",
        "conflicts": f"{words.plural(conflicts, 'text')} "
        f"{'stands' if conflicts == 1 else 'stand'} under two labels."
        if conflicts
        else "",
        "pairs": list(leaks["rows"])[:8],
        "clashes": list(leaks["conflicts"])[:8],
        "method": leaks["method"],
    }


def _expected(expected: Mapping[str, Any] | None) -> dict[str, str] | None:
    if expected is None:
        return None
    return {
        "about": f"About {rounded(expected['seconds'])}",
        "between": f"{rounded(expected['low'])} to {rounded(expected['high'])}",
        "how": "no base is installed: only words are tried"
        if expected["encoder_ms"] is None
        else f"the base takes {words.milliseconds(expected['encoder_ms'])} a text here",
    }


def rounded(seconds: float) -> str:
    """A duration as roughly as it is known: 4 s, 40 s, 7 min."""
    if seconds < 10:
        return f"{max(1, round(seconds))}\u202fs"
    if seconds < 90:
        return f"{round(seconds / 5) * 5}\u202fs"
    if seconds < 5400:
        return f"{round(seconds / 60)}\u202fmin"
    return f"{seconds / 3600:.1f}\u202fh"


def command_of(look: Mapping[str, Any]) -> str:
    """The command line that makes the same of the same file."""
    fields, files = look["fields"], look["files"]
    line = ["metier", "make", "--task", "classify", "--data", str(files.get("data", "FILE"))]
    line += ["--name", fields.get("name") or "NAME"]
    line += ["--eval", str(files["eval"])] if files.get("eval") else []
    for role in ("domain", "text", "label", "group", "budget"):
        line += [f"--{role}", fields[role]] if fields.get(role) else []
    line += ["--seed", fields["seed"]] if fields.get("seed", "0") not in ("", "0") else []
    line += ["--drop-leaks"] if fields.get("drop_leaks") == "true" else []
    return shlex.join(line)


# --- jobs ---------------------------------------------------------------------------------------


def job_rows(jobs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Jobs as a list shows them."""
    return [
        {
            "page": job["page"],
            "title": f"{_KINDS.get(str(job['kind']), str(job['kind']))}",
            "name": job["name"],
            "state": job["state"],
            "said": _STATES.get(str(job["state"]), str(job["state"])),
            "when": words.moment(str(job.get("ended") or job.get("started") or job["asked"])),
            "position": job["position"],
            "resumable": bool(job.get("resumable")),
        }
        for job in jobs
    ]


def job_values(job: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that a job's page shows beside the job itself."""
    live = job["state"] in ("queued", "running")
    rungs = [_rung(rung) for rung in job["rungs"]]
    rows = evidence.ladder_rows(rungs)
    chosen = next((rung for rung in rungs if rung.state == "chosen"), None)
    return {
        "live": live,
        "title": _KINDS.get(str(job["kind"]), str(job["kind"])),
        "state": _state(job),
        "seconds": _seconds_words(job),
        "again": _RUNS_AGAIN.get(str(job["kind"]), "") if job.get("resumable") else "",
        "found": _found_words(job.get("notes") or {}),
        "ladder": rows,
        "waiting": _waiting(rungs) if live else [],
        "chosen": f"{words.clip(chosen.title, 80)}. {words.clip(chosen.why, 300)}"
        if chosen
        else "",
        "plot": charts.ladder_plot(rungs, key="ladder"),
        "bytes": _bytes(job),
        "checked": _checked(job),
        "target": _target(job),
    }


def _state(job: Mapping[str, Any]) -> str:
    progress = job.get("progress")
    if job["state"] == "queued":
        return f"Waiting: position {job['position']} in the queue."
    if job["state"] == "running":
        return words.clip(progress["message"], 300) if progress else "Starting."
    stopped = {"make": "Stopped. Nothing was installed.", "pull": "Stopped."}
    return {
        "done": "It is made; its page shows the evidence." if job["kind"] == "make" else "Done.",
        "failed": "It failed.",
        "stopped": stopped.get(str(job["kind"]), "Stopped."),
        "interrupted": "Interrupted: the server ended while this job ran.",
    }.get(str(job["state"]), str(job["state"]))


def _seconds_words(job: Mapping[str, Any]) -> str:
    progress = job.get("progress")
    if job["state"] != "running" or not progress or progress.get("seconds_left") is None:
        return ""
    return f"about {rounded(progress['seconds_left'])} left"


def _found_words(notes: Mapping[str, Any]) -> list[str]:
    found = []
    data, leaks = notes.get("data"), notes.get("leaks")
    if data and "train" in data:
        found.append(
            f"{words.plural(int(data['train']), 'row')} to learn from, "
            f"{words.count(int(data['eval']))} sealed as the eval."
        )
    if leaks and "eval_items" in leaks:
        told = _leaks({"looked_at": [0, 0], "of": [0, 0], "part": False, **leaks})
        found.append(told["sentence"] if told else "")
    return found


def _waiting(rungs: Sequence[Rung]) -> list[str]:
    """Titles of the rungs that are still to come."""
    there = {"encoder-int8" if rung.name == "encoder" else rung.name for rung in rungs}
    return [title for name, title in PLANNED if name not in there]


def _bytes(job: Mapping[str, Any]) -> dict[str, str] | None:
    """How far a download is: bytes of all files and the speed."""
    progress = job.get("progress")
    data = progress.get("data", {}) if progress else {}
    if job["kind"] != "pull" or not isinstance(data.get("total"), int):
        return None
    whole = data.get("whole_total") or data["total"]
    done = data.get("whole_completed", data.get("completed") or 0)
    rate = data.get("bytes_per_second") or 0
    return {
        "done": f"{words.size(int(done))} of {words.size(int(whole))}",
        "rate": f"{words.size(int(rate))}/s" if rate and job["state"] == "running" else "",
        "file": words.clip(data.get("file", ""), 120),
    }


def _checked(job: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a check of the store found."""
    result = job.get("result")
    if job["kind"] != "verify" or not isinstance(result, Mapping) or "problems" not in result:
        return None
    problems = list(result["problems"])[:100]
    files = words.plural(int(result.get("checked", 0)), "file")
    found = f"{words.plural(len(problems), 'thing')} to mend" if problems else "nothing is wrong"
    return {
        "sentence": f"{files} checked: {found}.",
        "problems": [
            {field: problem.get(field, "") for field in ("what", "where", "remedy")}
            for problem in problems
            if isinstance(problem, Mapping)
        ],
    }


def _target(job: Mapping[str, Any]) -> str:
    """The page that a job ends on."""
    if job["kind"] == "comparison":
        return str(job["page"])  # once it is done, this leads to the comparison
    if job["kind"] == "make":
        return f"/specialists/{job['name']}"
    if job["kind"] == "hop":
        return f"/specialists/{job['name']}#hops"
    result = job.get("result")
    if job["kind"] == "pull" and job.get("next"):
        return str(job["next"])
    if job["kind"] == "pull" and isinstance(result, Mapping):
        return f"/specialists/{result.get('name', job['name'])}"
    return ""


def _rung(told: Mapping[str, Any]) -> Rung:
    """A rung as a job tells of it; one that is being tried has only its name."""
    known = {name: value for name, value in told.items() if name in Rung.model_fields}
    titles = dict(PLANNED)
    title = titles.get(str(told["name"]), told["name"])
    return Rung.model_validate({"title": title, "state": "tried", **known})
