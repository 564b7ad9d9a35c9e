"""What a script's metadata means, and what of it is refused with which words."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.case import ID, parse, script_body
from runner.errors import BrokenCase
from runner.metadata import Ends, Metadata, Runner, UvSettings
from tests.builders import a_block, a_case, a_script, read


def refusal(script: str, case_id: str = "demo") -> str:
    """The words with which a script is refused."""
    with pytest.raises(BrokenCase) as refused:
        read(script, case_id)
    assert refused.value.exit_code == 2
    assert refused.value.case in (None, case_id)
    return str(refused.value)


@pytest.mark.parametrize(
    ("key", "default"),
    [
        ("broken", ()),
        ("issue", None),
        ("fix", None),
        ("versions", ""),
        ("prereleases", False),
        ("python", None),
        ("ends", Ends.EXIT),
        ("timeout", 60),
        ("silence", None),
        ("memory", 512),
        ("runner", Runner.PYTHON),
        ("variants", {}),
    ],
)
def test_a_key_that_is_left_out_has_the_default_of_the_contract(key: str, default: object) -> None:
    assert getattr(a_case().metadata, key) == default


@pytest.mark.parametrize(
    ("key", "written", "means"),
    [
        ("title", "  spaces around  ", "spaces around"),
        ("fixed", "1.2.3", ("1.2.3",)),
        ("fixed", ["2.1", "1.10", "1.9"], ("1.9", "1.10", "2.1")),
        ("fixed", "v1.2.0-RC1", ("1.2.0rc1",)),
        ("broken", ["1.0", "1.1"], ("1.0", "1.1")),
        ("issue", "https://example.org/issues/1", "https://example.org/issues/1"),
        ("fix", "http://example.org/pull/2", "http://example.org/pull/2"),
        ("versions", ">=1,<2", "<2,>=1"),
        ("prereleases", True, True),
        ("python", ["3.8", "3.11"], ("3.8", "3.11")),
        ("ends", "timeout", Ends.TIMEOUT),
        ("ends", "memory", Ends.MEMORY),
        ("ends", "signal", Ends.SIGNAL),
        ("timeout", 2.5, 2.5),
        ("silence", 10, 10),
        ("memory", 64, 64),
        ("runner", "pytest", Runner.PYTEST),
    ],
)
def test_a_key_means_what_the_contract_says(key: str, written: object, means: object) -> None:
    words: dict[str, Any] = {key: written}
    assert getattr(a_case(**words).metadata, key) == means


def test_the_case_of_the_contract_is_read_whole() -> None:
    case = a_case(
        "uvicorn-824",
        requires_python=">=3.8",
        fixed="0.12.3",
        variants={
            "h11": {"env": {"HTTP": "h11"}},
            "httptools": {
                "dependencies": ["httptools"],
                "env": {"HTTP": "httptools"},
                "python": ["3.8"],
            },
        },
    )
    assert case.id == "uvicorn-824"
    assert case.requires_python == ">=3.8"
    assert case.variant_names() == ("h11", "httptools")
    assert case.variant("h11").env == {"HTTP": "h11"}
    assert case.variant("httptools").dependencies == ("httptools",)
    assert case.pythons("h11") is None
    assert case.pythons("httptools") == ("3.8",)


def test_without_variants_the_plain_script_is_the_one_cell() -> None:
    assert a_case().variant_names() == (None,)


def test_the_package_is_found_among_the_dependencies_however_it_is_spelt() -> None:
    case = a_case(package="My.Pkg", dependencies=["dep>=2", "my_pkg[fast,more]>=1", "other"])
    assert case.package == "my-pkg"
    assert case.requirement == "my_pkg[fast,more]>=1"
    assert case.dependencies == ("dep>=2", "other")


def test_a_script_with_crlf_line_ends_states_the_same_case() -> None:
    script = a_script(fixed="1.2", variants={"a": {"env": {"X": "1"}}})
    assert read(script.replace("\n", "\r\n")) == read(script)


def test_a_metadata_block_may_end_the_file_without_a_line_end() -> None:
    assert read(a_script(body="").rstrip("\n")).package == "pkg"


def test_a_block_of_another_type_is_no_second_metadata_block() -> None:
    other = "\n# /// other\n# [nothing\n# ///\n"
    assert read(a_script() + other).package == "pkg"


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_the_body_that_runs_is_the_script_without_its_metadata(ends: str) -> None:
    before = a_script(title="one", signature="^BUG").replace("\n", ends)
    after = a_script(title="two", signature="^BUG: ", fixed="1.3").replace("\n", ends)
    assert script_body(before) == script_body(after)
    assert "import pkg" in script_body(after)
    changed = a_script(body="import pkg, os\n").replace("\n", ends)
    assert script_body(before) != script_body(changed)


@pytest.mark.parametrize("good", ["a", "0", "uvicorn-824", "a.b_c-d", "0.1", "case--x", "a" * 80])
def test_an_id_has_lower_case_letters_digits_dots_and_dashes(good: str) -> None:
    assert a_case(good).id == good


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "..",
        ".",
        ".hidden",
        "../x",
        "a/b",
        "a\\b",
        "Upper",
        "a b",
        "-a",
        "_a",
        "ä",
        "a\n",
        "a@b",
    ],
)
def test_an_id_that_is_no_plain_name_is_refused_and_the_rule_told(bad: str) -> None:
    words = refusal(a_script(), bad)
    assert repr(bad) in words
    assert "lower-case" in words


@given(st.text(max_size=8))
def test_no_accepted_id_can_leave_its_folder_or_break_a_name(case_id: str) -> None:
    if ID.fullmatch(case_id):
        assert not set(case_id) & set("/\\@# \n\t\0:*?")
        assert not case_id.startswith((".", "-"))


BAD_BLOCKS = [
    ("print('no block')\n", "no metadata block", "# /// script"),
    ("# /// script\n# dependencies = []\nimport pkg\n", "no metadata block", "# ///"),
    (a_script() + "\n" + a_script(), "two metadata blocks", "one"),
    (a_block('dependencies = ["pkg"'), "not TOML", "Unclosed"),
    (a_block('dependencies = ["pkg"]'), "[tool.fixproof]", "package, title, signature"),
    (a_block("tool = 3"), "[tool]", "table"),
    (a_block("[tool]\nfixproof = 3"), "[tool.fixproof]", "table"),
    (
        a_script().replace("[tool.fixproof]", "[tool]\n# uv = 1\n#\n# [tool.fixproof]"),
        "uv",
        "table",
    ),
    (a_script(dependencies=[]), "'pkg', is not among the dependencies", 'dependencies = ["pkg"]'),
    (a_script(dependencies=["pkgs"]), "'pkg', is not among the dependencies", "Add it"),
    (a_script(dependencies=["pkg", "Pkg>1"]), "double", "once"),
    (a_script(dependencies=["pkg @ https://example.org/pkg.whl"]), "address", "plainly"),
    (a_script(dependencies=["pkg; os_name == 'nt'"]), "marker", "plainly"),
    (a_script(dependencies=["pkg", "not a requirement!"]), "'dependencies'", "not a requirement!"),
    (
        a_block(
            'dependencies = "pkg"\n[tool.fixproof]\npackage="pkg"\ntitle="t"\nsignature="s"\nfixed="1"'
        ),
        "'dependencies'",
        "list",
    ),
    (a_script(requires_python="three"), "'requires-python'", "'three'"),
    (
        a_block(
            'requires-python = 3\ndependencies = ["pkg"]\n[tool.fixproof]\npackage="pkg"\ntitle="t"\nsignature="s"\nfixed="1"'
        ),
        "'requires-python'",
        "3",
    ),
]


@pytest.mark.parametrize(("script", "fault", "remedy"), BAD_BLOCKS)
def test_a_block_that_cannot_be_read_is_refused_with_fault_and_remedy(
    script: str, fault: str, remedy: str
) -> None:
    words = refusal(script)
    assert fault in words
    assert remedy in words


BAD_KEYS: list[tuple[dict[str, Any], str, str]] = [
    ({"package": None}, "'package'", "required"),
    ({"title": None}, "'title'", "required"),
    ({"signature": None}, "'signature'", "required"),
    ({"fixed": None}, "'fixed'", "'broken'"),
    ({"fixed": []}, "'fixed'", "'broken'"),
    ({"package": ""}, "'package'", ""),
    ({"title": ""}, "'title'", ""),
    ({"title": "   "}, "'title'", ""),
    ({"title": "two\nlines"}, "'title'", "one line"),
    ({"title": "two\rlines"}, "'title'", "one line"),
    ({"title": 3}, "'title'", "string"),
    ({"signature": "("}, "'signature'", "does not compile"),
    ({"signature": "(?=BUG)"}, "'signature'", "look-around"),
    ({"signature": "(?<!x)BUG"}, "'signature'", "look-around"),
    ({"signature": r"(a)\1"}, "'signature'", "back-references"),
    ({"signature": ""}, "'signature'", "empty"),
    ({"signature": "^"}, "'signature'", "empty"),
    ({"signature": "(BUG)?"}, "'signature'", "empty"),
    ({"signature": "BUG|"}, "'signature'", "empty"),
    ({"fixed": 1.2}, "'fixed'", "in quotes"),
    ({"fixed": "one"}, "'fixed'", "PEP 440"),
    ({"fixed": ["1.0", "x"]}, "'fixed'", "PEP 440"),
    ({"fixed": ""}, "'fixed'", "PEP 440"),
    ({"fixed": True}, "'fixed'", "in quotes"),
    ({"broken": ">=1"}, "'broken'", "PEP 440"),
    ({"fixed": "1.2", "broken": ["1.1", "1.2"]}, "1.2", "both fixed and broken"),
    ({"fixed": "1.2", "broken": "1.2.0"}, "1.2", "both fixed and broken"),
    ({"issue": "javascript:alert(1)"}, "'issue'", "http(s)"),
    ({"fix": "javascript://x/%0aalert(1)"}, "'fix'", "http(s)"),
    ({"fix": "https://x/ onload=1"}, "'fix'", "http(s)"),
    ({"issue": 'https://x/">'}, "'issue'", "http(s)"),
    ({"issue": "example.org"}, "'issue'", "http(s)"),
    ({"versions": "newer than 1"}, "'versions'", "specifier"),
    ({"prereleases": "perhaps"}, "'prereleases'", "boolean"),
    ({"python": ["3"]}, "'python'", "'3.8', '3.11'"),
    ({"python": ["3.8.1"]}, "'python'", "'3.8', '3.11'"),
    ({"python": ["2.7"]}, "'python'", "'3.8', '3.11'"),
    ({"python": ["3.08"]}, "'python'", "'3.8', '3.11'"),
    ({"python": "3.8"}, "'python'", "'3.8', '3.11'"),
    ({"python": []}, "'python'", ""),
    ({"ends": "explosion"}, "'ends'", "'exit', 'timeout', 'memory' or 'signal'"),
    ({"timeout": 0}, "'timeout'", "greater than 0"),
    ({"timeout": -1}, "'timeout'", "greater than 0"),
    ({"timeout": float("inf")}, "'timeout'", ""),
    ({"timeout": float("nan")}, "'timeout'", ""),
    ({"silence": 0}, "'silence'", "greater than 0"),
    ({"memory": 0}, "'memory'", "greater than"),
    ({"memory": 1.5}, "'memory'", "integer"),
    ({"runner": "tox"}, "'runner'", "'python' or 'pytest'"),
    ({"variants": {"a/b": {}}}, "'variants'", "'a/b'"),
    ({"variants": {"..": {}}}, "'variants'", "'..'"),
    ({"variants": {"a@b": {}}}, "'variants'", "'a@b'"),
    ({"variants": {"a": {"env": {"X": 1}}}}, "'variants.a.env.X'", "string"),
    ({"variants": {"a": {"env": {"X": "a\0b"}}}}, "'variants.a.env", ""),
    ({"variants": {"a": {"dependencies": ["!"]}}}, "'variants.a.dependencies'", "cannot be read"),
    ({"variants": {"a": {"dependencies": ["PKG>1"]}}}, "PKG>1", "releases that are tested"),
    ({"variants": {"a": {"python": ["4"]}}}, "'variants.a.python'", "'3.8', '3.11'"),
    ({"variants": {"a": {"fixed": []}}}, "'a'", "'broken'"),
    ({"variants": {"a": {"broken": "1.2"}}}, "'a'", "both fixed and broken"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "named", "remedy"), BAD_KEYS)
def test_a_value_that_cannot_be_is_refused_with_its_key_and_a_remedy(
    keys: dict[str, Any], named: str, remedy: str
) -> None:
    words = refusal(a_script(**keys))
    assert named in words
    assert remedy in words


@pytest.mark.parametrize(
    ("keys", "unknown", "nearest"),
    [
        ({"fixd": "1.2"}, "fixd", "fixed"),
        ({"signatur": "x"}, "signatur", "signature"),
        ({"time-out": 3}, "time-out", "timeout"),
        ({"pythons": ["3.8"]}, "pythons", "python"),
        ({"variant": {}}, "variant", "variants"),
        ({"variants": {"a": {"envs": {}}}}, "variants.a.envs", "env"),
        ({"variants": {"a": {"afected": False}}}, "variants.a.afected", "affected"),
    ],
)
def test_a_misspelt_key_is_named_with_the_nearest_right_one(
    keys: dict[str, Any], unknown: str, nearest: str
) -> None:
    words = refusal(a_script(**keys))
    assert f"unknown key {unknown!r}" in words
    assert f"{nearest!r}?" in words


def test_a_key_like_no_other_is_named_without_a_guess() -> None:
    words = refusal(a_script(zzzzzz=1))
    assert "unknown key 'zzzzzz'" in words
    assert "did you mean" not in words


def test_all_faults_are_told_at_once() -> None:
    words = refusal(a_script(title=None, timeout=0, python=["4.0"]))
    assert all(key in words for key in ("'title'", "'timeout'", "'python'"))


@given(st.sampled_from(sorted(Metadata.model_fields)), st.integers(0, 20))
def test_a_key_with_a_letter_too_few_is_never_taken_for_another(key: str, place: int) -> None:
    misspelt = key[: place % len(key)] + key[place % len(key) + 1 :]
    if misspelt in Metadata.model_fields or len(misspelt) < 2:
        return
    words: dict[str, Any] = {misspelt: "x"}
    assert f"unknown key {misspelt!r}" in refusal(a_script(**words))


VARIANT_CLAIMS: list[tuple[dict[str, Any], tuple[str, ...], tuple[str, ...], bool]] = [
    ({}, ("1.2",), ("1.1",), True),
    ({"fixed": "1.3"}, ("1.3",), ("1.1",), True),
    ({"broken": ["1.0"]}, ("1.2",), ("1.0",), True),
    ({"fixed": [], "broken": "1.2"}, (), ("1.2",), True),
    ({"broken": []}, ("1.2",), (), True),
    ({"affected": False}, ("1.2",), ("1.1",), False),
    ({"affected": False, "broken": "1.2"}, ("1.2",), ("1.2",), False),
]


@pytest.mark.parametrize(("own", "fixed", "broken", "affected"), VARIANT_CLAIMS)
def test_a_variant_claims_what_it_says_and_else_what_the_case_says(
    own: dict[str, Any], fixed: tuple[str, ...], broken: tuple[str, ...], *, affected: bool
) -> None:
    case = a_case(fixed="1.2", broken="1.1", variants={"plain": {}, "own": own})
    claims = case.claims("own")
    assert (claims.fixed, claims.broken, claims.affected) == (fixed, broken, affected)
    assert case.claims("plain").fixed == ("1.2",)


def test_a_bug_that_nobody_fixed_yet_has_only_broken_releases() -> None:
    case = a_case(broken="1.1")
    assert case.claims(None).fixed == ()
    assert case.claims(None).broken == ("1.1",)


def test_a_case_whose_variants_all_claim_needs_no_claim_of_its_own() -> None:
    case = a_case(fixed=None, variants={"a": {"fixed": "1"}, "b": {"broken": "2"}})
    assert case.claims("a").fixed == ("1",)


def test_a_broken_release_may_stand_above_a_fixed_one() -> None:
    assert a_case(fixed=["1.0.5", "2.1"], broken="2.0").claims(None).broken == ("2.0",)


@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        ("no-build", True, "no_build"),
        ("no-build-package", ["dep"], "no_build_package"),
        ("no-binary", True, "no_binary"),
        ("no-binary-package", ["dep"], "no_binary_package"),
        ("constraint-dependencies", ["dep<2"], "constraint_dependencies"),
        ("override-dependencies", ["dep==1"], "override_dependencies"),
    ],
)
def test_what_uv_settings_leave_the_code_under_test_alone_is_honoured(
    key: str, value: Any, field: str
) -> None:
    found = getattr(a_case(uv={key: value}).uv, field)
    assert found == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize(
    ("uv", "may_build", "refuses_wheel"),
    [
        ({}, True, False),
        ({"no-build": True}, False, False),
        ({"no-build-package": ["A.Dep"]}, False, False),
        ({"no-build-package": ["other"]}, True, False),
        ({"no-binary": True}, True, True),
        ({"no-binary-package": ["A.Dep"]}, True, True),
        ({"no-binary-package": ["other"]}, True, False),
    ],
)
def test_what_uv_settings_say_of_wheels(
    uv: dict[str, Any], *, may_build: bool, refuses_wheel: bool
) -> None:
    settings = a_case(uv=uv).uv
    assert settings.may_build("a-dep") is may_build
    assert settings.refuses_wheel("a-dep") is refuses_wheel


@pytest.mark.parametrize(
    ("written", "cut_off"),
    [
        ("2020-01-02T03:04:05Z", datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2020-01-02T03:04:05+02:00", datetime(2020, 1, 2, 1, 4, 5, tzinfo=UTC)),
        ("2020-01-02", datetime(2020, 1, 3, tzinfo=UTC)),
        (date(2020, 1, 2), datetime(2020, 1, 3, tzinfo=UTC)),
        (datetime(2020, 1, 2, 3, tzinfo=UTC), datetime(2020, 1, 2, 3, tzinfo=UTC)),
    ],
)
def test_a_cut_off_of_the_script_is_an_instant_and_a_day_counts_whole(
    written: Any, cut_off: datetime
) -> None:
    settings = {"exclude-newer": written, "exclude-newer-package": {"dep": written}}
    found = a_case(uv=settings).uv
    assert found.exclude_newer == cut_off
    assert found.exclude_newer_package == {"dep": cut_off}


@pytest.mark.parametrize(
    ("uv", "named"),
    [
        ({"sources": {"pkg": {"path": "../pkg"}}}, "'sources'"),
        ({"index": [{"url": "https://index.example"}]}, "'index'"),
        ({"find-links": ["x"]}, "'find-links'"),
        ({"exclude-newr": "2020-01-01"}, "'exclude-newr'"),
        ({"constraint-dependencies": ["Pkg<2"]}, "Pkg<2"),
        ({"override-dependencies": ["pkg @ https://example.org/x.whl"]}, "pkg"),
        ({"override-dependencies": ["not one!"]}, "not one!"),
        ({"no-build": "sometimes"}, "'no-build'"),
        ({"exclude-newer": "yesterday"}, "'yesterday'"),
    ],
)
def test_what_of_uv_could_replace_the_code_under_test_is_refused(
    uv: dict[str, Any], named: str
) -> None:
    words = refusal(a_script(uv=uv))
    assert named in words


def test_a_script_without_uv_settings_has_the_usual_ones() -> None:
    assert a_case().uv == UvSettings()


@given(st.text(max_size=300))
def test_whatever_a_file_holds_it_is_a_case_or_refused(script: str) -> None:
    with pytest.raises(BrokenCase):
        parse("demo", script, sha256="", body_sha256="")


@given(
    st.dictionaries(
        st.sampled_from(sorted(Metadata.model_fields)),
        st.one_of(st.integers(), st.booleans(), st.text(max_size=5), st.lists(st.text(max_size=3))),
        max_size=4,
    )
)
def test_whatever_stands_under_a_key_it_is_a_case_or_refused(keys: dict[str, Any]) -> None:
    try:
        case = read(a_script(**keys))
    except BrokenCase as refused:
        assert refused.message  # noqa: PT017 - either is right
    else:
        assert case.metadata.title.strip()
        assert case.claims(None).fixed or case.claims(None).broken or case.metadata.variants


WINDOWS: list[tuple[dict[str, Any], str | None]] = [
    ({"fixed": "1.2"}, None),
    ({"fixed": "1.2", "broken": "1.0", "versions": ">=1"}, None),
    ({"fixed": "1.2", "broken": "1.0", "versions": ">=1.1"}, "leaves out 1.0, which"),
    ({"fixed": "1.2", "broken": ["1.10", "1.0"], "versions": ">=2"}, "out 1.0 and 1.2 and 1.10,"),
    ({"fixed": "2.0rc1", "versions": ">=1"}, None),
    (
        {"fixed": "1.2", "versions": "<2", "variants": {"one": {"broken": "2.1"}, "two": {}}},
        "leaves out 2.1, which",
    ),
]


@pytest.mark.parametrize(("keys", "told"), WINDOWS)
def test_a_window_that_leaves_out_a_claim_is_told(keys: dict[str, Any], told: str | None) -> None:
    note = a_case(**keys).window_note
    if told is None:
        assert note is None
    else:
        assert note is not None
        assert told in note


@pytest.mark.parametrize(
    ("signature", "body", "told"),
    [
        ("BUG: wrong", 'import pkg\nif pkg.f() != 1: sys.exit("BUG: wrong")\n', "if pkg.f() != 1"),
        ("^BUG: ", 'import pkg\nif pkg.f() != 1: sys.exit("BUG: wrong")\n', None),
        ("^BUG: ", 'TEXT = """\nBUG: wrong\n"""\n', None),
        ("wrong", "import pkg\n", None),
        ("wrong", "# what is wrong\n", None),
    ],
)
def test_a_signature_that_a_traceback_of_the_script_may_show_is_told(
    signature: str, body: str, told: str | None
) -> None:
    """The traceback of an AttributeError in that line would pass for the bug."""
    note = read(a_script(signature=signature, body=body)).echo_note
    if told is None:
        assert note is None
    else:
        assert note is not None
        assert told in note
