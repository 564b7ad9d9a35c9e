"""Fix pages made up for tests: what they claim is given, and so is the layout they are in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from runner.outcome import decide
from runner.pages.fields import page_of
from runner.pages.page import Page
from runner.pages.reading import read
from runner.pages.witness import Evidence, Witness, lacking, relied_on
from runner.plans.kinds import AnyPlan
from tests.builders import Simulation, World

ENDED = datetime(2026, 5, 1, tzinfo=UTC)


class Layout(StrEnum):
    """How a page is written; each is the ending of its file, but for `dashes`."""

    DASHES = "dashes"
    BULLETS = "txt"
    MARKDOWN = "md"
    HTML = "html"


@dataclass(frozen=True)
class Said:
    """What a page says."""

    fixed: tuple[str, ...] = ("1.2",)
    """In turn: of the first line, of the proof, of the options; the last one is repeated."""
    rows: tuple[tuple[str, str], ...] = ()
    affected: str | None = None
    more: tuple[str, ...] = ()
    """Further lines of the proof."""

    def at(self, place: int) -> str:
        return self.fixed[min(place, len(self.fixed) - 1)]

    def text(self, layout: Layout) -> str:
        """The page."""
        return _LAYOUTS[layout](self)

    def page(self, layout: Layout = Layout.DASHES) -> Page:
        """The page as it is read."""
        name = f"page.{'txt' if layout is Layout.DASHES else layout.value}"
        return page_of(read(self.text(layout).encode(), name), name)

    @property
    def proof(self) -> tuple[str, ...]:
        affected = (f"Affected versions: {self.affected}",) if self.affected else ()
        return (
            "GitHub issue: #7",
            "Fix PR: https://github.com/maker/pkg/pull/9",
            f"First fixed release: {self.at(1)}",
            *affected,
            *self.more,
        )


def _dashes(said: Said) -> str:
    rows = [f"| {version} | {word} |" for version, word in said.rows]
    return "\n".join(
        [
            "The Fix",
            f"Upgrade to version {said.at(0)} or later.",
            "Based on closed maker/pkg issue #7 · PR/commit linked",
            "Proof / Evidence",
            *(f"- {each}" for each in said.proof),
            "Fix Options (Details)",
            f"First fixed release: {said.at(2)}",
            "Version Compatibility Table",
            "| Version | Status |",
            "|---|---|",
            *rows,
            "Sources",
        ]
    )


def _bullets(said: Said) -> str:
    rows = [f"{version} {word}" for version, word in said.rows]
    return "\n\n".join(
        [
            "The Fix",
            f"Upgrade to version {said.at(0)} or later.",
            "Based on closed maker/pkg issue #7 · PR/commit linked",
            "Proof / Evidence",
            "\n".join(f"  • {each}" for each in said.proof),
            "Fix Options (Details)",
            f"First fixed release: {said.at(2)}",
            "Version Compatibility Table",
            "\n".join(["VersionStatus", *rows]),
            "Related Issues",
        ]
    )


def _markdown(said: Said) -> str:
    return "\n\n".join(
        [
            "# A bug",
            "## The Fix",
            f"Upgrade to version {said.at(0)} or later.",
            "Based on closed maker/pkg issue #7 · PR/commit linked",
            "## Proof / Evidence",
            "\n".join(f"* {each}" for each in said.proof),
            "## Fix Options",
            f"**First fixed release**: {said.at(2)}",
            "## Version Compatibility Table",
            "\n".join(
                ["| Version | Status |", "|---|---|"]
                + [f"| `{version}` | **{word}** |" for version, word in said.rows]
            ),
        ]
    )


def _html(said: Said) -> str:
    proof = "".join(f"<li>{each}</li>" for each in said.proof)
    rows = "".join(f"<tr><td>{version}</td><td>{word}</td></tr>" for version, word in said.rows)
    return (
        "<!DOCTYPE html><html><head><script>First fixed release: 9.9</script></head><body>"
        f"<h2>The Fix</h2><p>Upgrade to version {said.at(0)} or later.</p>"
        "<p>Based on closed maker/pkg issue #7</p>"
        f"<h2>Proof / Evidence</h2><ul>{proof}</ul>"
        f"<h2>Fix Options</h2><p>First fixed release: {said.at(2)}</p>"
        f"<h2>Version Compatibility Table</h2><table>{rows}</table></body></html>"
    )


_LAYOUTS = {
    Layout.DASHES: _dashes,
    Layout.BULLETS: _bullets,
    Layout.MARKDOWN: _markdown,
    Layout.HTML: _html,
}


def witnesses(
    plan: AnyPlan, world: World, *, run: str = "run-1", partial: bool = False
) -> tuple[Witness, ...]:
    """What the series of a simulated run show."""
    conclusion = Simulation(plan, world).run()
    return tuple(
        Witness(
            run=run,
            kind=plan.kind,
            ended=ENDED,
            partial=partial,
            decision=decide(each, plan.universe.history),
            findings=each,
        )
        for each in conclusion.series
    )


def evidence(*listed: Witness, fixed: Iterable[str] = ()) -> Evidence:
    """Evidence as it is gathered of a case of this name."""
    return Evidence(
        case="demo", fixed=tuple(fixed), witnesses=relied_on(listed), lack=lacking(listed)
    )
