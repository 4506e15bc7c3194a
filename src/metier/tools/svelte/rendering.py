"""Server rendering of components: HTML for props, in a sandboxed process that is used once.

It builds with the judge's builder and speaks with its harness; it judges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metier.coding import Diagnostic, SourceFile
from metier.errors import InputError
from metier.sandbox import Limits, Place, Pool, program
from metier.tools.behaviour.building import Builder
from metier.tools.behaviour.talking import Conversation, Lost, Threw
from metier.tools.warm import Stopped
from metier.tools.workshop import Workshop

SECONDS = 10.0
_FLAGS = ("--max-old-space-size=512", "--no-warnings", "--stack-size=900")
_LIMITS = Limits(seconds=15, cpu_seconds=15, memory_mb=1024, processes=40, output_bytes=4_000_000)


@dataclass(frozen=True, slots=True)
class Rendered:
    """What the server would send.

    Attributes:
        head: HTML for the head, styles included.
        body: HTML of the component.
        diagnostics: Errors of the compiler; then there is no HTML.
        why: What the component threw, or why it did not finish; empty if it rendered.
    """

    head: str = ""
    body: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    why: str = ""

    @property
    def ok(self) -> bool:
        """Whether there is HTML."""
        return not self.diagnostics and not self.why


class Renderer:
    """Renders components of one toolchain; nothing is started until the first."""

    def __init__(self, workshop: Workshop, toolchain: str) -> None:
        self._workshop = workshop
        self._builder = Builder(workshop, "svelte", toolchain)

    def render(self, files: Sequence[SourceFile], props: Mapping[str, Any]) -> Rendered:
        """HTML of the first component among ``files``, with ``props``.

        Raises:
            InputError: There is no component (``no_component``).
            UnavailableError: No toolchain, no Node or no sandbox.
        """
        entry = next((file.path for file in files if file.path.endswith(".svelte")), None)
        if entry is None:
            raise InputError("There is no component to render.", code="no_component")
        try:
            built = self._builder.build(files, "server", {})
        except Stopped as stopped:
            return Rendered(why=f"The compiler was stopped by the files ({stopped.why}).")
        if built.diagnostics:
            return Rendered(diagnostics=built.diagnostics)
        node = self._workshop.toolchains.node()
        folder = self._builder.harness(_FLAGS)
        pool = Pool(
            self._workshop.sandbox(),
            [str(node), *_FLAGS, "/harness/boot.cjs", "/harness", "server"],
            size=1,
            places=(Place(folder, "/harness"), *program(node)),
            limits=_LIMITS,
            ready=b'{"ready":true}',
        )
        try:
            with pool.take() as running:
                return _rendered(
                    Conversation(running, seconds=SECONDS), entry, built.modules, props
                )
        finally:
            pool.close()

    def close(self) -> None:
        """End every process."""
        self._builder.close()


def _rendered(
    talk: Conversation, entry: str, modules: list[Any], props: Mapping[str, Any]
) -> Rendered:
    try:
        talk.ask("prepare", entry=entry, modules=modules, options={}, stand_ins={})
        html = talk.ask("render", props=dict(props))
    except (Lost, Threw) as error:
        return Rendered(why=str(error))
    if not isinstance(html, dict):
        return Rendered(why="The harness gave no HTML.")
    return Rendered(str(html.get("head", "")), str(html.get("body", "")))
