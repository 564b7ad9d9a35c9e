"""What the metadata of a script may say: its keys, their defaults, and what is refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import re2
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from pydantic import ConfigDict, Field, field_validator

from runner.value import Value

VARIANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
PYTHON = re.compile(r"3\.(0|[1-9][0-9]?)")


class Ends(StrEnum):
    """How a script shows its bug."""

    EXIT = "exit"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    SIGNAL = "signal"


class Runner(StrEnum):
    """What runs the script."""

    PYTHON = "python"
    PYTEST = "pytest"


class Claims(Value):
    """What is claimed of one series."""

    fixed: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    affected: bool = True
    """False: the claim that the bug is not there, on any of the named releases."""
    candidate: str | None = None
    """Version of a build, no release, that is asked about in place of the claimed fixes,"""
    replaced: tuple[str, ...] = ()
    """namely these: they are not run; their predecessors are."""

    @property
    def names_a_fix(self) -> bool:
        """Whether a fix is claimed, of a release or of a candidate."""
        return bool(self.fixed) or self.candidate is not None

    def of_candidate(self, version: str) -> Claims:
        """The same, but that a candidate of this version is the fix."""
        return self.model_copy(
            update={"fixed": (), "candidate": version, "replaced": self.fixed or self.replaced}
        )


def _version_list(value: object) -> object:
    """A claim is one release or a list of them; each is kept as PEP 440 spells it."""
    if value is None:
        return None
    listed: list[Any] = [*value] if isinstance(value, list | tuple) else [value]
    try:
        versions = {Version(each) for each in listed}
    except (InvalidVersion, TypeError) as error:
        raise ValueError(
            f"names a release that is no PEP 440 version in quotes: {value!r}"
        ) from error
    return tuple(str(each) for each in sorted(versions))


def _python_list(value: object) -> object:
    if value is None:
        return None
    if not isinstance(value, list | tuple) or not value:
        raise ValueError(f"is {value!r}; write interpreters as ['3.8', '3.11']")
    for each in value:
        if not isinstance(each, str) or not PYTHON.fullmatch(each):
            raise ValueError(f"has {each!r}; write interpreters as ['3.8', '3.11']")
    return tuple(dict.fromkeys(value))


def _requirement_list(value: tuple[str, ...]) -> tuple[str, ...]:
    for each in value:
        try:
            Requirement(each)
        except InvalidRequirement as error:
            raise ValueError(f"has one that cannot be read: {error}") from error
    return value


def _instant(value: object) -> datetime:
    """A cut-off of uv's: a time with its zone, or a day, which counts whole (in UTC)."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    text = str(value)
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC) + timedelta(days=1)
        return _instant(datetime.fromisoformat(text))
    except ValueError as error:
        raise ValueError(f"is no date or time that fixproof can honour: {text!r}") from error


class Variant(Value):
    """One value of the one more axis that a case may have."""

    dependencies: tuple[str, ...] = ()
    env: dict[str, str] = {}
    python: tuple[str, ...] | None = None
    fixed: tuple[str, ...] | None = None
    """None: as in the case."""
    broken: tuple[str, ...] | None = None
    affected: bool = True

    _versions = field_validator("fixed", "broken", mode="before")(_version_list)
    _pythons = field_validator("python", mode="before")(_python_list)
    _requirements = field_validator("dependencies")(_requirement_list)

    @field_validator("env")
    @classmethod
    def _can_be_set(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if not name or "=" in name or "\0" in name + text:
                raise ValueError(f"has {name!r}, which no process can be given")
        return value


class UvSettings(Value):
    """The script's own `[tool.uv]`, as far as it can be honoured; keys as uv spells them."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    exclude_newer: datetime | None = Field(default=None, alias="exclude-newer")
    exclude_newer_package: dict[str, datetime] = Field(default={}, alias="exclude-newer-package")
    no_build: bool = Field(default=False, alias="no-build")
    no_build_package: tuple[str, ...] = Field(default=(), alias="no-build-package")
    no_binary: bool = Field(default=False, alias="no-binary")
    no_binary_package: tuple[str, ...] = Field(default=(), alias="no-binary-package")
    constraint_dependencies: tuple[str, ...] = Field(default=(), alias="constraint-dependencies")
    override_dependencies: tuple[str, ...] = Field(default=(), alias="override-dependencies")

    def admitting_wheels_of(self, package: str) -> UvSettings:
        """The same, but that a wheel of this package may be taken: there is nothing else of it."""
        others = (each for each in self.no_binary_package if canonicalize_name(each) != package)
        return self.model_copy(update={"no_binary": False, "no_binary_package": tuple(others)})

    @field_validator("exclude_newer", mode="before")
    @classmethod
    def _one(cls, value: object) -> object:
        return None if value is None else _instant(value)

    @field_validator("exclude_newer_package", mode="before")
    @classmethod
    def _each(cls, value: object) -> object:
        return {k: _instant(v) for k, v in value.items()} if isinstance(value, dict) else value

    def may_build(self, package: str) -> bool:
        """Whether a wheel of it may be built where there is none."""
        return not (self.no_build or _is_among(package, self.no_build_package))

    def refuses_wheel(self, package: str) -> bool:
        """Whether a wheel of it that was published is not to be taken."""
        return self.no_binary or _is_among(package, self.no_binary_package)


def _is_among(package: str, names: tuple[str, ...]) -> bool:
    return canonicalize_name(package) in map(canonicalize_name, names)


class Metadata(Value):
    """The keys of `[tool.fixproof]`, with the defaults of design section 3."""

    package: str = Field(min_length=1)
    title: str = Field(min_length=1)
    signature: str
    fixed: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    issue: str | None = None
    fix: str | None = None
    versions: str = ""
    prereleases: bool = False
    python: tuple[str, ...] | None = None
    ends: Ends = Ends.EXIT
    timeout: float = Field(default=60.0, gt=0, le=3600)
    silence: float | None = Field(default=None, gt=0, le=3600)
    memory: int = Field(default=512, ge=16, le=64 * 1024)
    runner: Runner = Runner.PYTHON
    variants: dict[str, Variant] = {}

    _versions = field_validator("fixed", "broken", mode="before")(_version_list)
    _pythons = field_validator("python", mode="before")(_python_list)

    @field_validator("title")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if len(value.splitlines()) != 1 or not value.strip():
            raise ValueError("must be one line with something in it")
        return value.strip()

    @field_validator("versions")
    @classmethod
    def _specifier(cls, value: str) -> str:
        try:
            return str(SpecifierSet(value))
        except InvalidSpecifier as error:
            raise ValueError(f"is no version specifier: {value!r}") from error

    @field_validator("signature")
    @classmethod
    def _tells_something(cls, value: str) -> str:
        try:
            pattern = compile_signature(value)
        except re2.error as error:
            reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error
            raise ValueError(
                f"does not compile: {reason} (no look-around, no back-references)"
            ) from error
        if pattern.search("") is not None:
            raise ValueError("matches the empty string, and so would be found in any output")
        return value

    @field_validator("issue", "fix")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[!#-;=?-\[\]^_a-z{}~]+", value):
            raise ValueError("is no http(s) address")
        return value

    @field_validator("variants")
    @classmethod
    def _variant_names(cls, value: dict[str, Variant]) -> dict[str, Variant]:
        for name in value:
            if not VARIANT.fullmatch(name):
                raise ValueError(f"has a name that cannot be part of an id: {name!r}")
        return value


def compile_signature(signature: str) -> Any:
    """The signature, multi-line, in an engine whose time is linear in the length of the text."""
    options = re2.Options()
    options.log_errors = False
    return re2.compile("(?m)" + signature, options)
