"""A fork server for the store's proofs: one line of JSON in, one child process per line.

Started as a program by the tests. Protocol, one JSON object a line:

    in   {"do": "import", "home": …, …}      start the job in a forked child
    out  {"pid": 123}                         at once; the caller may kill it
    out  {"ended": 0} / {"ended": -9, …}      when it has ended; "said" carries its error
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from metier.errors import MetierError
from metier.manifest import CONFIG_TYPE, FILEPATH, WEIGHT_TYPE, Manifest, model_config
from metier.reference import Reference
from metier.store import Store


def install(store: Store, name: str, parts: dict[str, bytes]) -> None:
    """Give ``parts`` a name."""
    with store.ingest() as work:
        layers = tuple(
            work.add(data, media_type=WEIGHT_TYPE, annotations={FILEPATH: path})
            for path, data in parts.items()
        )
        config = work.add(
            model_config(name="x", layers=layers, licence=None), media_type=CONFIG_TYPE
        )
        work.put(Reference.parse(name), Manifest(config=config, layers=layers))


def parts_of(seed: int, sizes: tuple[int, ...] = (10, 900, 40_000, 150_000)) -> dict[str, bytes]:
    """Parts that depend on the seed only; the first is the same for every seed."""
    source = random.Random(seed)
    parts = {"shared.json": b"{}" * 20}
    for number, size in enumerate(sizes):
        parts[f"deep/part-{number}.json"] = source.randbytes(size)
    return parts


def run(job: dict[str, Any]) -> None:
    """Do one job."""
    if "file_limit" in job:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["file_limit"], job["file_limit"]))
    if "lines" in job:
        die_after(job["lines"])
    store = Store.open(Path(job["home"]), wait=job.get("wait", 60.0))
    match job["do"]:
        case "import":
            reference = Reference.parse(job["name"])
            store.import_layout(Path(job["layout"]), reference=reference)
        case "export":
            store.export(Reference.parse(job["name"]), Path(job["layout"]))
        case "gc":
            store.collect_garbage()
        case "remove":
            store.remove(Reference.parse(job["name"]))
        case "install":
            install(store, job["name"], parts_of(job["seed"]))
        case "busy":
            busy(store, job)
        case "rewrite":
            rewrite(store, job)
    if "lines" in job:
        sys.settrace(None)


def rewrite(store: Store, job: dict[str, Any]) -> None:
    """Give one name other parts again and again, and collect the old ones."""
    for turn in range(job["turns"]):
        install(store, job["name"], parts_of(turn % 6, (10, 3000)))
        if turn % 3 == 0:
            store.collect_garbage()


def busy(store: Store, job: dict[str, Any]) -> None:
    """Many rounds of one process among several; names are its own, parts are shared."""
    source = random.Random(job["seed"])
    for turn in range(job["turns"]):
        name = f"{job['name']}-{turn}"
        install(store, name, parts_of(source.randrange(6), (10, 3000)))
        if turn % 5 == 1:
            store.export(Reference.parse(name), Path(job["layout"]))
        if turn % 3 == 0:
            store.remove(Reference.parse(name))
        if turn % 4 == job["seed"] % 4:
            store.collect_garbage()


def die_after(lines: int) -> None:
    """Kill this process when it has run so many lines of the store's code."""
    left = lines

    def trace(frame: Any, event: str, _argument: Any) -> Any:
        nonlocal left
        if "metier/store" not in frame.f_code.co_filename.replace(os.sep, "/"):
            return None
        if event == "line":
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)


def child(job: dict[str, Any], said: int) -> int:
    """Run a job; what went wrong goes into the pipe."""
    try:
        run(job)
    except MetierError as error:
        os.write(said, json.dumps({"error": error.as_dict()}).encode())
        return 1
    return 0


def leave(job: dict[str, Any], said: int) -> None:
    """Run a job and end this process, whatever happens."""
    status = 2
    try:
        status = child(job, said)
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(status)


def main() -> None:
    """Serve until the input ends."""
    children: dict[int, int] = {}
    for line in sys.stdin:
        job = json.loads(line)
        if job["do"] == "wait":
            pid = job["pid"]
            _, status = os.waitpid(pid, 0)
            hear = children.pop(pid)
            with os.fdopen(hear, "rb") as pipe:
                said = pipe.read()
            ended = os.waitstatus_to_exitcode(status)
            answer = {"ended": ended, "said": json.loads(said) if said else None}
        else:
            hear, say = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.close(hear)
                leave(job, say)
            os.close(say)
            children[pid] = hear
            answer = {"pid": pid}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
