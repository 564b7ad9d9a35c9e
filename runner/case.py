"""One bug as its script states it: what it is about, how it shows, and what is claimed of it.

`parse` reads the metadata of a PEP 723 script. It reads no file and runs nothing.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from pydantic import ValidationError

from runner.errors import BrokenCase
from runner.metadata import Claims, Metadata, UvSettings, Variant, compile_signature
from runner.value import Value
from runner.version_readers import reads_version

FOLDER = "/case"
"""Where the files of a case are while it runs."""
ID = re.compile(r"[a-z0-9][a-z0-9._-]*")

# The reference expression of PEP 723.
_BLOCK = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$")

HONOURED_UV = (
    "exclude-newer",
    "exclude-newer-package",
    "no-build",
    "no-build-package",
    "no-binary",
    "no-binary-package",
    "constraint-dependencies",
    "override-dependencies",
)


@cache
def _plain() -> Variant:
    """The variant without a name."""
    return Variant()


class Case(Value):
    """One bug: its script's metadata, and digests of what will run."""

    id: str
    metadata: Metadata
    requirement: str
    """The script's own requirement of the package under test: its name and extras count."""
    dependencies: tuple[str, ...]
    """The script's other requirements."""
    requires_python: str = ""
    uv: UvSettings = UvSettings()
    sha256: str
    """Of every file of the case."""
    body_sha256: str
    """The same, but for `[tool.fixproof]`: a better signature or claim runs nothing again."""
    reads_version: bool = False
    """Whether the script asks for the version of a release: it may decide by the number."""
    echoed: str | None = None
    """A line of the script that a traceback would show with the signature in it."""

    def __hash__(self) -> int:
        """The digest of all its files says it."""
        return hash(self.sha256)

    @property
    def package(self) -> str:
        return str(canonicalize_name(self.metadata.package))

    def variant_names(self) -> tuple[str | None, ...]:
        """The variants; where there are none, the plain script stands for one without a name."""
        return tuple(self.metadata.variants) or (None,)

    def variant(self, name: str | None) -> Variant:
        return self.metadata.variants[name] if name is not None else _plain()

    def claims(self, variant: str | None) -> Claims:
        """What is claimed of one variant: its own words first, then the case's."""
        own = self.variant(variant)
        return Claims(
            fixed=self.metadata.fixed if own.fixed is None else own.fixed,
            broken=self.metadata.broken if own.broken is None else own.broken,
            affected=own.affected,
        )

    @property
    def window_note(self) -> str | None:
        """What to know of a window that leaves out what is claimed; None where it does not."""
        window = SpecifierSet(self.metadata.versions)
        claims = [self.claims(variant) for variant in self.variant_names()]
        named = {version for each in claims for version in (*each.broken, *each.fixed)}
        left_out = [each for each in named if not window.contains(each, prereleases=True)]
        if not left_out:
            return None
        listed = " and ".join(sorted(left_out, key=Version))
        return (
            f"the window {self.metadata.versions} leaves out {listed}, which the case claims: "
            "claims run all the same, a search looks within the window alone"
        )

    @property
    def echo_note(self) -> str | None:
        """What to know of a signature that other failures may print; None where none does."""
        if self.echoed is None:
            return None
        return (
            f"a traceback that shows the line {self.echoed[:80]!r} of the script would have the "
            "signature in it, and pass for the bug: anchor it, as in '^BUG: '"
        )

    def pythons(self, variant: str | None) -> tuple[str, ...] | None:
        """The Pythons asked for, as X.Y; None leaves the choice to `matrix`."""
        return self.variant(variant).python or self.metadata.python


def parse(case_id: str, script: str, *, sha256: str, body_sha256: str) -> Case:
    """The case that a script states.

    Raises:
        BrokenCase: with the key at fault, and the nearest right one where it is misspelt.
    """
    if not ID.fullmatch(case_id):
        raise BrokenCase(
            f"{case_id!r} is no case id",
            hint="An id is made of lower-case letters, digits, '.', '_' and '-', and begins with a "
            "letter or a digit.",
        )
    try:
        return _parse(case_id, script, sha256, body_sha256)
    except ValidationError as error:
        raise BrokenCase(_explain(error), case=case_id) from error
    except BrokenCase as error:
        error.case = case_id
        raise


def script_body(script: str) -> str:
    """What of a script is run: its text without the metadata block.

    What the block says of dependencies is in a cell's lock; the rest says what to make of a run.
    """
    return _BLOCK.sub("", _lines(script))


def _parse(case_id: str, script: str, sha256: str, body_sha256: str) -> Case:
    block = _read_block(script)
    tool = _table(block.get("tool", {}), "tool")
    if "fixproof" not in tool:
        raise BrokenCase(
            "the metadata block has no [tool.fixproof] table",
            hint="docs/case-format.md shows the keys; package, title, signature and a claim "
            "are required.",
        )
    metadata = Metadata.model_validate(_table(tool["fixproof"], "tool.fixproof"))
    requirement, others = _split_dependencies(block.get("dependencies", []), metadata)
    _check_claims(metadata)
    return Case(
        id=case_id,
        metadata=metadata,
        requirement=requirement,
        dependencies=others,
        requires_python=_requires_python(block),
        uv=_uv_settings(_table(tool.get("uv", {}), "tool.uv"), metadata.package),
        sha256=sha256,
        body_sha256=body_sha256,
        reads_version=reads_version(script),
        echoed=_echoed(script, metadata.signature),
    )


def _echoed(script: str, signature: str) -> str | None:
    """The first line with code in which a signature is found, indented as tracebacks show it."""
    pattern = compile_signature(signature)
    lines = (each.strip() for each in script_body(script).split("\n"))
    return next(
        (each for each in lines if each[:1] not in ("", "#") and pattern.search(f"    {each}")),
        None,
    )


def _lines(script: str) -> str:
    """With the line ends that PEP 723's expression counts on."""
    text = script.replace("\r\n", "\n")
    return text if text.endswith("\n") else text + "\n"


def _read_block(script: str) -> dict[str, Any]:
    blocks = [match for match in _BLOCK.finditer(_lines(script)) if match["type"] == "script"]
    if not blocks:
        raise BrokenCase(
            "no metadata block",
            hint="A case is a PEP 723 script: it has a comment block that starts with "
            "'# /// script' and ends with '# ///'.",
        )
    if len(blocks) > 1:
        raise BrokenCase("two metadata blocks", hint="PEP 723 allows one '# /// script' block.")
    lines = blocks[0]["content"].splitlines()
    if "# /// script" in lines:  # with no line between them, the first swallows the second
        raise BrokenCase("two metadata blocks", hint="PEP 723 allows one '# /// script' block.")
    content = "\n".join(line[2:] if line.startswith("# ") else line[1:] for line in lines)
    try:
        return tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        hint = "Lines and columns are counted within the block, without '# '."
        raise BrokenCase(f"the metadata block is not TOML: {error}", hint=hint) from error


def _table(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BrokenCase(f"[{name}] is not a table")
    return value


def _split_dependencies(listed: object, metadata: Metadata) -> tuple[str, tuple[str, ...]]:
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise BrokenCase("'dependencies' is not a list of requirements")
    package = canonicalize_name(metadata.package)
    try:
        requirements = [Requirement(each) for each in listed]
        for variant in metadata.variants.values():
            _refuse_package(variant.dependencies, package, "a variant's dependencies")
    except InvalidRequirement as error:
        raise BrokenCase(f"'dependencies' has one that cannot be read: {error}") from error
    own = [each for each in requirements if canonicalize_name(each.name) == package]
    if not own:
        raise BrokenCase(
            f"the package under test, {metadata.package!r}, is not among the dependencies",
            hint=f'Add it: dependencies = ["{metadata.package}"].',
        )
    if len(own) > 1 or own[0].url or own[0].marker:
        raise BrokenCase(
            f"the dependency on {metadata.package!r} has an address, a marker or a double",
            hint="fixproof replaces its version by the release under test; name it plainly, once.",
        )
    others = tuple(str(each) for each in requirements if each is not own[0])
    return str(own[0]), others


def _refuse_package(requirements: tuple[str, ...], package: str, where: str) -> None:
    for each in requirements:
        if canonicalize_name(Requirement(each).name) == package:
            raise BrokenCase(
                f"{where} name the package under test: {each!r}",
                hint="Its version comes from the releases that are tested, and from nowhere else.",
            )


def _check_claims(metadata: Metadata) -> None:
    for name, variant in (metadata.variants or {"": Variant()}).items():
        fixed = metadata.fixed if variant.fixed is None else variant.fixed
        broken = metadata.broken if variant.broken is None else variant.broken
        where = f" of variant {name!r}" if name else ""
        if not fixed and not broken:
            raise BrokenCase(
                f"nothing is claimed{where}: one of 'fixed' and 'broken' is required",
                hint='fixed = "1.2.3" is the first release that is said to have the fix.',
            )
        both = {Version(each) for each in fixed} & {Version(each) for each in broken}
        if both and variant.affected:
            raise BrokenCase(f"the claims{where} call {min(both)} both fixed and broken")


def _requires_python(block: Mapping[str, Any]) -> str:
    value = block.get("requires-python", "")
    try:
        return str(SpecifierSet(value))
    except (InvalidSpecifier, TypeError, AttributeError) as error:
        raise BrokenCase(f"'requires-python' is no version specifier: {value!r}") from error


def _uv_settings(table: Mapping[str, Any], package: str) -> UvSettings:
    for key in table:
        if key not in HONOURED_UV:
            raise BrokenCase(
                f"[tool.uv] has {key!r}, which fixproof does not honour",
                hint=f"It honours {', '.join(HONOURED_UV)}: nothing there may replace the code "
                "under test.",
            )
    settings = UvSettings.model_validate(dict(table))
    name = canonicalize_name(package)
    for requirements in (settings.constraint_dependencies, settings.override_dependencies):
        try:
            _refuse_package(requirements, name, "[tool.uv] constraints or overrides")
        except InvalidRequirement as error:
            raise BrokenCase(f"[tool.uv] has a requirement that cannot be read: {error}") from error
    return settings


def _explain(error: ValidationError) -> str:
    """All faults, one a line, each with its key; a misspelt key with the nearest right one."""
    return "; ".join(_explain_one(dict(each)) for each in error.errors())


def _explain_one(fault: Mapping[str, Any]) -> str:
    path = [str(part) for part in fault["loc"]]
    name = ".".join(path)
    if fault["type"] == "extra_forbidden":
        known = Variant if len(path) > 1 and path[0] == "variants" else Metadata
        nearest = difflib.get_close_matches(path[-1], known.model_fields, n=1)
        return f"unknown key {name!r}" + (f", did you mean {nearest[0]!r}?" if nearest else "")
    if fault["type"] == "missing":
        return f"the key {name!r} is required"
    return f"{name!r} {fault['msg'].removeprefix('Value error, ')}"
