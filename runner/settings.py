"""What a user sets by environment variables, and where things are on this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from pydantic import Field

from runner.errors import WrongUsage
from runner.value import Value

LOG_FORMATS = ("console", "json")
SANDBOXES = ("auto", "docker", "bubblewrap", "process")
MIN_FREE = 2 * 1024**3
"""Bytes that must be free where nothing else is said: an environment with all it needs is less."""
_LAST_PORT = 0xFFFF
_DIGITS = 5
_SIZE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?) ?([KMGT]?)(?:i?B)?", re.IGNORECASE)
_FACTORS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


class Settings(Value):
    """Where fixproof keeps its things, and what attempts run in."""

    home: Path
    database_url: str = Field(repr=False)
    sandbox: str
    broker_url: str | None = Field(default=None, repr=False)
    """Where messages to workers go; None where there is no service."""
    oci_runtime: str | None = None
    """Another runtime of the container engine, `runsc` for example; None for its own."""
    notify: tuple[str, ...] = Field(default=(), repr=False)
    """Who is told of a night, as Apprise addresses; they hold secrets."""
    ping: str | None = Field(default=None, repr=False)
    """What is told that a night began and ended; its address is a secret."""
    min_free: int = MIN_FREE
    """Bytes that must be free on the disk of the home before a run begins."""
    keep_environments: timedelta = timedelta(days=30)
    """How long what can be made again is kept after it was used last."""
    keep_runs: timedelta = timedelta(days=400)
    """How long runs are kept after they ended, and nights; the newest of each case stays."""
    log_format: str = "console"
    metrics: tuple[str, int] | None = None
    """Host and port at which a worker tells its metrics; None: nowhere."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be printed: passwords, and addresses that are secrets as a whole."""
        urls = (each for each in (self.database_url, self.broker_url) if each)
        passwords = (urlsplit(each).password for each in urls)
        known = (each for each in passwords if each)
        both = (form for each in known for form in (each, unquote(each)))
        return (*both, *self.notify, *([self.ping] if self.ping else []))

    @property
    def store(self) -> Path:
        """Trees of environments, beside uv's cache: one file system, for hard links."""
        return self.home / "store"

    @property
    def disks(self) -> tuple[Path, ...]:
        """Folders that may be on disks of their own, and must not be full."""
        return (self.home, self.store)

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
    url = _address(environ, "FIXPROOF_DATABASE") or f"sqlite:///{folder / 'fixproof.sqlite3'}"
    runtime = environ.get("FIXPROOF_OCI_RUNTIME") or None
    return Settings(
        home=folder,
        database_url=url,
        sandbox=kind,
        broker_url=_address(environ, "FIXPROOF_BROKER"),
        oci_runtime=runtime,
        notify=_notify(environ),
        ping=environ.get("FIXPROOF_PING_URL") or None,
        min_free=_bytes(environ, "FIXPROOF_MIN_FREE", MIN_FREE),
        keep_environments=_days(environ, "FIXPROOF_KEEP_ENVIRONMENTS", 30),
        keep_runs=_days(environ, "FIXPROOF_KEEP_RUNS", 400),
        log_format=_log_format(environ),
        metrics=_metrics(environ.get("FIXPROOF_METRICS")),
    )


def _days(environ: Mapping[str, str], name: str, usual: int) -> timedelta:
    """A number of days."""
    said = environ.get(name) or str(usual)
    if not said.isascii() or not said.isdigit() or len(said) > _DIGITS:
        raise WrongUsage(f"{name} is a number of days, not {said!r}")
    return timedelta(days=int(said))


def _log_format(environ: Mapping[str, str]) -> str:
    form = environ.get("FIXPROOF_LOG_FORMAT") or "console"
    if form not in LOG_FORMATS:
        raise WrongUsage(f"FIXPROOF_LOG_FORMAT is console or json, not {form!r}")
    return form


def _metrics(said: str | None) -> tuple[str, int] | None:
    """`PORT`, which only this machine reaches, or `HOST:PORT`."""
    if not said:
        return None
    host, _, port = said.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > _LAST_PORT:
        raise WrongUsage(f"FIXPROOF_METRICS is PORT or HOST:PORT, not {said!r}")
    return (host.strip("[]") or "127.0.0.1", int(port))


def _address(environ: Mapping[str, str], name: str) -> str | None:
    """The address of a server; its password may be in a file, where no process list shows it."""
    url, file = environ.get(f"{name}_URL") or None, environ.get(f"{name}_PASSWORD_FILE")
    if not file:
        return url
    if url is None:
        raise WrongUsage(f"{name}_PASSWORD_FILE is set, and {name}_URL is not")
    return _with_password(url, _secret(file, f"{name}_PASSWORD_FILE"), name)


def _with_password(url: str, password: str, name: str) -> str:
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    if ":" in user:
        raise WrongUsage(
            f"{name}_URL has a password, and {name}_PASSWORD_FILE another",
            hint="Leave one of them out.",
        )
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}").geturl()


def _secret(file: str, name: str) -> str:
    """What stands in a file, without the end of its line."""
    try:
        found = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUsage(f"{name} names {file}, which cannot be read") from error
    if not found:
        raise WrongUsage(f"{name} names {file}, which is empty")
    return found


def _bytes(environ: Mapping[str, str], name: str, usual: int) -> int:
    """A size like 500M or 2G, in powers of 1024."""
    said = environ.get(name)
    if not said:
        return usual
    found = _SIZE.fullmatch(said.strip())
    if found is None:
        raise WrongUsage(f"{name} is no size: {said!r}", hint="It is like 500M, 2G or 0.")
    return int(float(found[1]) * _FACTORS[found[2].upper()])


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
