"""What a user sets by environment variables, and where things are on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from runner.errors import WrongUsage
from runner.value import Value

SANDBOXES = ("auto", "docker", "bubblewrap", "process")


class Settings(Value):
    """Where fixproof keeps its things, and what attempts run in."""

    home: Path
    database_url: str
    sandbox: str
    broker_url: str | None = None
    """Where messages to workers go; None where there is no service."""
    oci_runtime: str | None = None
    """Another runtime of the container engine, `runsc` for example; None for its own."""
    notify: tuple[str, ...] = Field(default=(), repr=False)
    """Who is told of a night, as Apprise addresses; they hold secrets."""
    ping: str | None = Field(default=None, repr=False)
    """What is told that a night began and ended; its address is a secret."""

    @property
    def store(self) -> Path:
        """Trees of environments, beside uv's cache: one file system, for hard links."""
        return self.home / "store"

    @property
    def cache(self) -> Path:
        return self.home / "cache"

    @property
    def cases(self) -> Path:
        return self.home / "cases"

    @property
    def locks(self) -> Path:
        return self.home / "locks"


def read(
    environ: Mapping[str, str] = os.environ, *, home: str | None = None, sandbox: str | None = None
) -> Settings:
    """The settings; what the command line says goes before the environment."""
    folder = Path(home or environ.get("FIXPROOF_HOME") or _usual_home(environ)).absolute()
    kind = sandbox or environ.get("FIXPROOF_SANDBOX") or "auto"
    if kind not in SANDBOXES:
        raise WrongUsage(f"there is no sandbox {kind!r}", hint=f"There are {', '.join(SANDBOXES)}.")
    url = environ.get("FIXPROOF_DATABASE_URL") or f"sqlite:///{folder / 'fixproof.sqlite3'}"
    runtime = environ.get("FIXPROOF_OCI_RUNTIME") or None
    return Settings(
        home=folder,
        database_url=url,
        sandbox=kind,
        broker_url=environ.get("FIXPROOF_BROKER_URL") or None,
        oci_runtime=runtime,
        notify=_notify(environ),
        ping=environ.get("FIXPROOF_PING_URL") or None,
    )


def _notify(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The addresses of a variable, or, so that secrets stay in a file, of the lines of one."""
    file = environ.get("FIXPROOF_NOTIFY_FILE")
    lines = environ.get("FIXPROOF_NOTIFY", "").split()
    if file:
        try:
            lines += Path(file).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise WrongUsage(
                f"FIXPROOF_NOTIFY_FILE names {file}, which cannot be read",
                hint="It has an address a line, as Apprise writes them.",
            ) from error
    found = (each.strip() for each in lines)
    return tuple(each for each in found if each and not each.startswith("#"))


def repros() -> Path:
    """The corpus: `repros/` here, or else the one beside the program."""
    here = Path.cwd() / "repros"
    return here if here.is_dir() else Path(__file__).parents[1] / "repros"


def _usual_home(environ: Mapping[str, str]) -> Path:
    """As the XDG base directory specification has it."""
    data = environ.get("XDG_DATA_HOME")
    return Path(data or Path.home() / ".local" / "share") / "fixproof"
