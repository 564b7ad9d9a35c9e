"""One night for people and CI servers: what changed first, then the rest, if there is any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from jinja2 import BytecodeCache

from runner.nightly.changes import Change, Kind, alarm_of
from runner.nightly.night import DueDocument, Entry, Night, NoiseReport, QuarantineReport
from runner.outcome import Status
from runner.render.html import frame
from runner.render.marks import Tone
from runner.render.privacy import Privacy
from runner.render.templating import html_templates
from runner.render.text import inline, visible
from runner.value import Value

KINDS = {
    Kind.FAILING: "Newly failing",
    Kind.WORSE: "Fails otherwise",
    Kind.WITHDRAWN: "Release withdrawn",
    Kind.EXPIRED: "Quarantine is over",
    Kind.UNJUDGED: "Cannot be judged",
    Kind.FLAKY: "Now flaky",
    Kind.DOUBT: "Not confirmed",
    Kind.PASSING: "Newly passing",
    Kind.ADDED: "New case",
    Kind.REMOVED: "Removed case",
}


_SEVERAL = {
    Kind.WITHDRAWN: "releases withdrawn",
    Kind.EXPIRED: "quarantines are over",
    Kind.ADDED: "new cases",
    Kind.REMOVED: "removed cases",
}
_NAMED = 20
"""Cases of a kind of trouble that a message names."""


class Table(Value):
    """Some rows under a heading."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class View(Value):
    """A night as it is shown."""

    title: str
    answer: str
    tone: Tone
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]


def headline(night: Night) -> str:
    """What changed, in a sentence."""
    told = Counter(each.kind for each in night.changes if not each.quarantined)
    said = [
        f"{told[kind]} {_SEVERAL.get(kind, one) if told[kind] > 1 else one}"
        for kind, one in ((kind, each[0].lower() + each[1:]) for kind, each in KINDS.items())
        if told[kind]
    ]
    if night.unseen and night.unseen >= night.cases:
        return ", ".join([*said, "nothing could be looked at"])
    said = said or ["nothing changed"]
    if night.unseen:
        said.append(f"{night.unseen} of {night.cases} cases not looked at")
    return ", ".join(said)


def view(night: Night) -> View:
    """What is shown of a night, whatever the format."""
    alarms = {alarm_of(each.kind) for each in night.changes if not each.quarantined}
    tone = Tone.BAD if 1 in alarms else Tone.DOUBT if night.exit_code else Tone.GOOD
    tables = (
        Table(title="Changed", head=("What", "Case", "Said"), rows=_changes(night.changes)),
        Table(
            title="Not looked at",
            head=("Case", "Because"),
            rows=tuple((each.case, each.why) for each in night.not_looked),
        ),
        Table(
            title="Left out, and first next time",
            head=("Case",),
            rows=tuple((each,) for each in night.left_out),
        ),
        Table(
            title="Looked at",
            head=("Case", "Status", "Because", "Attempts", "Runs"),
            rows=tuple(_entry(each) for each in night.entries if each.rounds),
        ),
        Table(
            title="Second rounds",
            head=("Case", "First round by", "Second round by"),
            rows=tuple(
                _by_whom(each.case, {one.why: one.workers for one in each.rounds})
                for each in night.entries
                if any(one.why == "confirm" for one in each.rounds)
            ),
        ),
        Table(
            title="Newest release not judged: it allows no interpreter of the case",
            head=("Case", "Package", "Newest"),
            rows=tuple(
                (each.case, each.package, each.standing.latest or "")
                for each in night.entries
                if each.rounds and not each.standing.newest_judged
            ),
        ),
        Table(
            title="In quarantine",
            head=("Case", "Until", "Reason"),
            rows=tuple(
                (_muted(each), f"{each.until}{' (over)' if each.expired else ''}", each.reason)
                for each in night.quarantine
            ),
        ),
        Table(
            title="Said two things under the same conditions",
            head=("Cell", "First", "Then"),
            rows=tuple(
                (each.cell, each.first, each.second)
                for entry in night.entries
                for each in entry.disagreements
            ),
        ),
    )
    return View(
        title=f"Night of {night.began:%Y-%m-%d}",
        answer=headline(night),
        tone=tone,
        facts=_facts(night),
        tables=tuple(each for each in tables if each.rows),
    )


def markdown(night: Night, *, user_home: str = "") -> str:
    """As Markdown."""
    shown = view(night)
    lines = [f"# {inline(shown.title)}: {inline(shown.answer)}", ""]
    lines += [f"- {inline(name)}: {inline(said)}" for name, said in shown.facts]
    for table in shown.tables:
        lines += ["", f"## {inline(table.title)}", "", _row(table.head)]
        lines += [_row(("---",) * len(table.head), escape=False), *map(_row, table.rows)]
    return Privacy(user_home=user_home).hide("\n".join([*lines, ""]))


def due_markdown(found: DueDocument) -> str:
    """What a night would do, as Markdown."""
    lines = [f"{len(found.due)} of {found.cases} cases are due"]
    lines += [
        f"- {inline(each.case)}: {inline('; '.join(cause.said for cause in each.causes))}"
        + (" (left out before)" if each.waited else "")
        for each in found.due
    ]
    lines += [
        f"- {inline(each.case)}: cannot be looked at, because {inline(each.why)}"
        for each in found.not_looked
    ]
    return "\n".join([*lines, ""])


def page(night: Night, *, compiled: BytecodeCache | None = None, user_home: str = "") -> str:
    """As one page of HTML."""
    templates = html_templates(compiled, Privacy(user_home=user_home))
    return templates.get_template("night.html.j2").render(frame() | {"night": view(night)})


def junit(night: Night, *, user_home: str = "") -> str:
    """As JUnit XML: a test a case; failures are what alarms, errors what cannot be judged."""
    hide = Privacy(user_home=user_home).hide
    root = Element("testsuites", name="fixproof")
    suite = SubElement(root, "testsuite", name=night.night, timestamp=f"{night.began:%FT%T}")
    for entry in night.entries:
        _test(suite, entry, hide(visible(_alarming(entry.changes, 1))), "failure") or _test(
            suite, entry, hide(visible(_alarming(entry.changes, 3))), "error"
        ) or _test(suite, entry, "")
    for each in night.not_looked:
        case = _testcase(suite, each.case)
        SubElement(case, "skipped", message=hide(visible(f"not looked at: {each.why}")))
    for left in night.left_out:
        SubElement(_testcase(suite, left), "skipped", message="left out: there was no time for it")
    for change in night.changes:
        if change.kind is Kind.EXPIRED:
            case = _testcase(suite, f"{change.case} (quarantine)")
            SubElement(case, "failure", message=hide(visible(change.said)), type=change.kind)
    for element in (suite, root):
        found = [*element.iter("testcase")]
        element.set("tests", str(len(found)))
        for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            element.set(name, str(sum(each.find(kind) is not None for each in found)))
    indent(root)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document.decode()


def digest(night: Night) -> tuple[str, str]:
    """Title and text of what somebody is told."""
    shown = view(night)
    told = [each for each in night.changes if not each.quarantined]
    lines = [f"- {KINDS[each.kind]}: {inline(each.case)}: {inline(each.said)}" for each in told]
    lines += _named(
        [f"- Not looked at: {inline(each.case)}: {inline(each.why)}" for each in night.not_looked]
    )
    lines += _named([f"- Left out: {inline(each)}" for each in night.left_out])
    facts = [f"{name}: {said}" for name, said in shown.facts]
    return f"fixproof: {shown.title}: {shown.answer}", "\n".join([*lines, "", *facts])


def _named(lines: list[str]) -> list[str]:
    more = len(lines) - _NAMED
    return [*lines[:_NAMED], f"- and {more} more"] if more > 0 else lines


def _facts(night: Night) -> tuple[tuple[str, str], ...]:
    noise = f"tonight {_noise(night.noise)}; in all nights {_noise(night.noise_ever)}"
    return (
        ("Night", night.night),
        ("Cases", f"{night.cases}, of which {night.due} were due"),
        ("Attempts", str(night.attempts)),
        ("Took", f"{night.began:%H:%M} to {night.ended:%H:%M} UTC"),
        ("Our own noise", noise),
    )


def _noise(noise: NoiseReport) -> str:
    if noise.low is None or noise.high is None:
        return "no cell ran twice"
    interval = f"{100 * noise.low:.1f} to {100 * noise.high:.1f} %"
    return f"{noise.disagreed} of {noise.pairs} cells that ran twice disagreed ({interval})"


def _changes(found: tuple[Change, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            f"{KINDS[each.kind]}{' (in quarantine)' if each.quarantined else ''}",
            each.case,
            each.said,
        )
        for each in found
    )


def _entry(entry: Entry) -> tuple[str, ...]:
    return (
        entry.case,
        f"{entry.standing.status}: {entry.standing.summary}",
        "; ".join(each.said for each in entry.causes),
        str(entry.attempts),
        ", ".join(each.run for each in entry.rounds),
    )


def _muted(found: QuarantineReport) -> str:
    return f"{found.case} (not in the corpus)" if found.stranger else found.case


def _by_whom(case: str, made: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Who made each of two rounds: whether the second is a second opinion."""
    first, second = made.get("due", ()), made["confirm"]
    by = ", ".join(second) or "nobody: nothing was run"
    same = {*first} & {*second}
    return (
        case,
        ", ".join(first) or "an earlier night",
        f"{by}: no other worker was there for it" if same else by,
    )


def _row(cells: tuple[str, ...], *, escape: bool = True) -> str:
    return f"| {' | '.join(inline(each) if escape else each for each in cells)} |"


def _alarming(found: tuple[Change, ...], code: int) -> str:
    return "; ".join(
        f"{KINDS[each.kind]}: {each.said}"
        for each in found
        if alarm_of(each.kind) == code and not each.quarantined
    )


def _testcase(suite: Element, name: str) -> Element:
    shown = visible(name)
    return SubElement(suite, "testcase", classname="fixproof.nightly", name=shown, time="0.000")


def _test(suite: Element, entry: Entry, why: str, kind: str | None = None) -> bool:
    """A test of a case that ended so; False where there is nothing to say of that kind."""
    if kind and not why:
        return False
    case = _testcase(suite, entry.case)
    if kind:
        SubElement(case, kind, message=why, type=entry.standing.outcome).text = why
    elif entry.standing.status is not Status.PASS:
        known = f"{entry.standing.status} as before: {entry.standing.summary}"
        if entry.quarantined:
            known = f"in quarantine ({entry.quarantined}): {entry.standing.summary}"
        SubElement(case, "skipped", message=visible(known))
    return True
