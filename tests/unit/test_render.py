"""The page: foreign text stays text, long logs are short, nothing is told beyond the report."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.attempt import Attempt
from runner.errors import BrokenCase
from runner.render.section import markdown
from runner.render.text import (
    PAGE_LINES,
    PAGE_WIDTH,
    block,
    code,
    inline,
    log_text,
    visible,
)
from runner.sandbox import SandboxDescription, SandboxKind, Stream
from tests.builders import (
    BUG,
    ERROR,
    GOOD,
    Said,
    Trial,
    Verified,
    World,
    a_case,
    a_failure,
    a_ground,
    a_history,
    a_plan,
    a_report,
    a_universe,
    broken_in,
    verify,
)

HOSTILE = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            "`~|\\<>&*_[]()!#$-+=\n\r\t \x1b\x00\x07\x7f\x85\u2028\u202e\u200b\ufeff\u2066a1"
        ),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=60,
)
HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def hidden_in(text: str, kept: str = "\n\t") -> set[str]:
    return {each for each in text if unicodedata.category(each) in HIDDEN and each not in kept}


@given(HOSTILE)
def test_no_character_acts_or_hides(text: str) -> None:
    assert not hidden_in(visible(text))
    assert not hidden_in(inline(text), kept="")
    assert not hidden_in(code(text), kept="")
    assert not hidden_in(log_text(Stream(head=text.encode())))


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_no_byte_of_a_log_acts_or_hides(head: bytes, tail: bytes) -> None:
    assert not hidden_in(log_text(Stream(head=head, omitted=5, tail=tail)))
    assert not hidden_in(log_text(Stream(head=head)))


@given(HOSTILE)
def test_prose_has_no_markdown_and_no_html_of_its_own(text: str) -> None:
    shown = inline(text)
    assert "\n" not in shown
    assert "<" not in shown
    assert ">" not in shown
    unescaped = re.sub(r"\\[\\`*_\[\]|~$]|&(lt|gt|amp);", "", shown)
    assert not set(unescaped) & set("\\`*_[]|~$&")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, 1.2.3 (x)", "plain text, 1.2.3 (x)"),
        ("a_b *c* `d`", r"a\_b \*c\* \`d\`"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("&lt;", "&amp;lt;"),
        ("[x](javascript:alert(1))", r"\[x\](javascript:alert(1))"),
        ("a | b", r"a \| b"),
        ("two\nlines", "two lines"),
        ("\u202eevil", r"\\u202eevil"),
        ("~~x~~ $y$", r"\~\~x\~\~ \$y\$"),
        (r"\<b\&", r"\\&lt;b\\&amp;"),
    ],
)
def test_prose_is_shown_as_it_was_written(text: str, shown: str) -> None:
    assert inline(text) == shown


@given(HOSTILE.filter(lambda text: text.strip() != ""))
def test_nothing_breaks_out_of_a_code_span(text: str) -> None:
    shown = code(text)
    assert "\n" not in shown
    fence = re.match("`+", shown)
    assert fence is not None
    assert shown.endswith(fence[0])
    inside = shown[len(fence[0]) : -len(fence[0])]
    assert fence[0] not in re.findall("`+", inside)
    assert not inside.startswith("`")
    assert not inside.endswith("`")
    assert "|" not in inside.replace("\\|", "")


@given(HOSTILE)
def test_nothing_breaks_out_of_a_fenced_block(text: str) -> None:
    shown = block(log_text(Stream(head=text.encode())))
    first, *inside, last = shown.split("\n")
    fence = first.removesuffix("text")
    assert set(fence) == {"`"}
    assert len(fence) >= 3
    assert last == fence
    longest = max((len(run) for run in re.findall("`+", "\n".join(inside))), default=0)
    assert len(fence) > longest


def test_a_long_log_keeps_its_head_and_its_tail() -> None:
    lines = [f"line {number}" for number in range(1000)]
    shown = log_text(Stream(head="\n".join(lines).encode())).split("\n")
    assert len(shown) <= PAGE_LINES + 1
    assert shown[0] == "line 0"
    assert shown[-1] == "line 999"
    assert "960 lines" in "\n".join(shown)


def test_a_long_line_is_cut_and_says_so() -> None:
    shown = log_text(Stream(head=b"x" * 5000))
    assert len(shown) < PAGE_WIDTH + 40
    assert "4800 characters" in shown


def test_a_short_log_is_shown_whole() -> None:
    assert log_text(Stream(head=b"a\r\nb\x1b[31m!\x1b[0m\n\n c")) == "a\nb!\n\n c"
    assert log_text(Stream()) == ""


def test_what_the_sandbox_left_out_is_told() -> None:
    shown = log_text(Stream(head=b"start\n", omitted=12345, tail=b"end\n"))
    assert shown.split("\n")[0] == "start"
    assert "12345 bytes" in shown
    assert shown.split("\n")[-1] == "end"


def test_what_the_sandbox_left_out_is_told_in_a_long_log_too() -> None:
    many = b"line\n" * 500
    assert "12345 bytes" in log_text(Stream(head=many, omitted=12345, tail=many))


@given(st.binary(max_size=4000), st.integers(0, 3), st.binary(max_size=4000))
def test_a_log_on_a_page_is_never_long(head: bytes, omitted: int, tail: bytes) -> None:
    shown = log_text(Stream(head=head * 20, omitted=omitted, tail=tail if omitted else b""))
    lines = shown.split("\n")
    assert len(lines) <= PAGE_LINES + 2
    assert all(len(each) <= PAGE_WIDTH + 40 for each in lines)


# The section.

HISTORY = a_history("1.0", "1.1", "1.2", "1.3")


def section(found: Verified) -> str:
    logs: dict[str, Attempt] = {
        attempt.id: attempt
        for facts in found.simulation.facts.values()
        for attempt in facts.attempts
    }
    return markdown(found.report, logs.get)


def verified(behave: Any = None, *, latest: bool = False, **words: Any) -> Verified:
    plan = a_plan(a_case(**words), a_universe(HISTORY), latest=latest)
    return verify(plan, World(behave or broken_in("1.0", "1.1")))


def saying(stdout: bytes) -> Any:
    def behave(trial: Trial) -> Said:
        said = broken_in("1.0", "1.1")(trial)
        if said == BUG:
            return BUG._replace(stdout=b"BUG\n" + stdout)
        return GOOD._replace(stdout=stdout) if said == GOOD else said

    return behave


def outside_of_blocks(page: str) -> list[str]:
    """Lines of a page that are no part of a fenced block."""
    found, fence = [], None
    for line in page.split("\n"):
        run = re.match("`{3,}", line)
        if fence is not None:
            fence = None if line == fence else fence
        elif run:
            fence = run[0]
        else:
            found.append(line)
    assert fence is None, "a block that never ends"
    return found


def test_a_section_says_status_evidence_both_sides_control_and_confirmation() -> None:
    page = section(verified())
    for told in (
        "## Verified Execution",
        "**PASS**",
        "1.2 is the first fixed release",
        "3 of 3",
        "0 of 5",
        "both: the broken and the fixed side were run",
        "without the package the script is unresolved",
        "the boundary holds with identical dependencies",
        "no later release was run",
        "2026-02-11 16:52:29",
        "fixproof verify demo --fresh",
    ):
        assert told in page


def test_a_section_whose_latest_release_was_run_does_not_say_that_none_was() -> None:
    assert "no later release was run" not in section(verified(latest=True))


def test_a_section_of_the_fixed_side_alone_says_what_it_does_not_show() -> None:
    plan = a_plan(a_case(), a_universe(a_history("1.2")))
    page = section(verify(plan, World(broken_in())))
    assert "INCONCLUSIVE" in page
    assert "nothing shows that there was a bug" in page


def moved(version: str) -> dict[str, str]:
    return {"dep": "2" if version == "1.2" else "1"}


def test_a_section_names_the_dependency_that_a_verdict_follows() -> None:
    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        return GOOD if trial.dependencies["dep"] == "2" else BUG

    page = section(verify(a_plan(a_case(), a_universe(HISTORY)), World(behave, moved)))
    assert "The verdict follows dep (1 to 2), not the package" in page
    assert "the boundary does not hold with identical dependencies" in page
    assert "first fixed in" not in page


def test_a_section_says_that_a_confirmation_was_impossible() -> None:
    world = World(broken_in("1.0", "1.1"), moved, allows=lambda _version, _others: False)
    page = section(verify(a_plan(a_case(), a_universe(HISTORY)), world))
    assert "impossible: the two sides cannot run with identical dependencies" in page
    assert "dep 1 → 2" in page


def test_a_section_of_a_vacuous_script_says_that_it_proves_nothing() -> None:
    page = section(verified(lambda _trial: BUG))
    assert "INCONCLUSIVE" in page
    assert "without the package the script still says present: it proves nothing" in page


@pytest.mark.parametrize(
    ("reused", "told"), [(1, "10, of which 1 were taken over"), (99, "none ran now")]
)
def test_a_section_says_which_attempts_did_not_run_now(reused: int, told: str) -> None:
    found = verified()
    left = reused
    for name, facts in found.simulation.facts.items():
        attempts = tuple(
            each.model_copy(update={"reused": place < left})
            for place, each in enumerate(facts.attempts)
        )
        left -= min(left, len(attempts))
        found.simulation.facts[name] = facts.model_copy(update={"attempts": attempts})
    report = a_report(found.simulation.plan, found.simulation.run())
    assert told in markdown(report, lambda _name: None)


def test_a_section_of_what_cannot_be_installed_still_can_be_read() -> None:
    plan = a_plan(a_case(), a_universe(HISTORY))
    page = section(verify(plan, World(broken_in(), lambda _version: a_failure())))
    assert "untested" in page


def test_a_sandbox_that_does_not_isolate_is_marked() -> None:
    found = verified()
    described = SandboxDescription(
        kind=SandboxKind.PROCESS, network="host", isolated=False, unenforced=("memory",)
    )
    report = a_report(found.simulation.plan, found.conclusion, a_ground(sandbox=described))
    page = markdown(report, lambda _name: None)
    assert "NOT ISOLATED" in page
    assert "not enforced: memory" in page


def test_a_runtime_that_is_not_the_usual_one_is_named() -> None:
    found = verified()
    described = SandboxDescription(
        kind=SandboxKind.DOCKER, network="none", isolated=True, base="sha256:ba5e", runtime="runsc"
    )
    report = a_report(found.simulation.plan, found.conclusion, a_ground(sandbox=described))
    assert "base sha256:ba5e, runtime runsc" in markdown(report, lambda _name: None)
    assert report.sandbox.runtime == "runsc"


OUTPUTS = {
    "a fence": b"```\n# A heading\n````\n<script>alert(1)</script>\n",
    "a long fence": b"`" * 50 + b"\n</details>\n",
    "tildes": b"~~~\n## FAIL\n",
    "terminal codes": b"\x1b[2J\x1b]0;title\x07\x1b[31mred\n",
    "directions": "\u202egnp.exe\u2066\n".encode(),
    "control characters": b"\0\x08\x08\x08\r**PASS**\x0c\x0b\x85\n",
    "line separators": "a\u2028```\u2029# b\n".encode(),
    "not UTF-8": b"\xff\xfe\x80```\n",
}


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_no_log_breaks_out_of_its_block(output: bytes) -> None:
    page = section(verified(saying(output)))
    assert not hidden_in(page)
    usual = outside_of_blocks(section(verified(saying(b"plain\n"))))
    assert outside_of_blocks(page) == usual


@settings(max_examples=30)
@given(HOSTILE)
def test_no_log_whatever_it_holds_changes_the_page_around_it(output: str) -> None:
    page = section(verified(saying(b"!\n" + output.encode())))
    assert not hidden_in(page)
    usual = outside_of_blocks(section(verified(saying(b"!\n"))))
    assert outside_of_blocks(page) == usual


TITLES = [
    "a | b | c",
    "<img src=x onerror=alert(1)>",
    "`code` ``and`` more",
    "**bold** _it_ ~~no~~ [x](javascript:alert(1)) ![y](z)",
    "\u202eright to left\u2066",
    "back\\slash \\| pipe",
    "&lt;b&gt; $x$",
    "tab\there \x07 bell",
]


@pytest.mark.parametrize("title", TITLES)
def test_no_title_breaks_out_of_its_cell(title: str) -> None:
    page = section(verified(title=title))
    (line,) = [each for each in page.split("\n") if each.startswith("| Case |")]
    assert not hidden_in(page)
    assert "<" not in line
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == 3
    assert len(page.split("\n")) == len(section(verified(title="plain")).split("\n"))


SIGNATURES = ["a|b", r"BUG \| x", "`BUG`", "<BUG>", "^BUG ", "[`|]+BUG", "\tBUG", "BUG\u202e"]


@pytest.mark.parametrize("signature", SIGNATURES)
def test_no_signature_breaks_out_of_its_cell(signature: str) -> None:
    page = section(verified(signature=f"^BUG|{signature}"))
    (line,) = [each for each in page.split("\n") if each.startswith("| Signature |")]
    assert not hidden_in(page)
    assert line.endswith(" |")
    assert len(re.findall(r"(?<!\\)\|", line)) == 3


@pytest.mark.parametrize("key", ["issue", "fix"])
def test_an_address_is_a_link_of_its_own_row(key: str) -> None:
    words: dict[str, Any] = {key: "https://example.org/a_b*c*?d=[1]&e=$f$"}
    (line,) = [each for each in section(verified(**words)).split("\n") if words[key] in each]
    assert line == f"| {key.title()} | <{words[key]}> |"


@pytest.mark.parametrize("character", ["\u202e", "\u200b", "\x07", "\x7f"])
def test_no_address_hides_a_character(character: str) -> None:
    address = f"https://example.org/{character}gnp"
    try:
        page = section(verified(issue=address))
    except BrokenCase:
        return
    assert not hidden_in(page)


def test_the_home_of_the_user_is_not_told() -> None:
    found = verified(saying(b"File /home/somebody/x.py\n"))
    stored = {each.id: each for f in found.simulation.facts.values() for each in f.attempts}
    page = markdown(found.report, stored.get, user_home="/home/somebody")
    assert "somebody" not in page
    assert "File ~/x.py" in page


def test_a_page_names_the_log_of_each_side_with_its_output() -> None:
    page = section(verified(saying(b"what it said\n")))
    assert page.count("what it said") == 2
    assert "Log of 1.1: present, exit 1, 0.2 s" in page
    assert "Log of 1.2: absent, exit 0, 0.2 s" in page


def test_a_log_that_is_no_longer_stored_is_left_out() -> None:
    page = markdown(verified().report, lambda _name: None)
    assert "Log of" not in page
