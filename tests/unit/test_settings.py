"""What a user sets by environment variables: sizes, secrets in files, addresses."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import WrongUsage
from runner.settings import MIN_FREE, Settings, read

HOME = {"FIXPROOF_HOME": "/home/of/fixproof"}


def settings(**environ: str) -> Settings:
    return read(HOME | environ)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("", MIN_FREE),
        ("0", 0),
        ("500", 500),
        ("500M", 500 * 1024**2),
        ("1.5 GiB", 3 * 1024**3 // 2),
        ("2g", 2 * 1024**3),
        ("1TB", 1024**4),
    ],
)
def test_sizes_are_read_as_people_write_them(said: str, meant: int) -> None:
    assert settings(FIXPROOF_MIN_FREE=said).min_free == meant


@pytest.mark.parametrize("said", ["much", "-1", "5 bananas", "1e3", "٣G"])
def test_what_is_no_size_is_said(said: str) -> None:
    with pytest.raises(WrongUsage, match="FIXPROOF_MIN_FREE is no size"):
        settings(FIXPROOF_MIN_FREE=said)


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("redis://redis:6379/0", "redis://:s%3A%2F%40cret@redis:6379/0"),
        ("redis://me@redis/0", "redis://me:s%3A%2F%40cret@redis/0"),
    ],
)
def test_a_password_may_stand_in_a_file(tmp_path: Path, url: str, whole: str) -> None:
    file = tmp_path / "password"
    file.write_text("s:/@cret\n", encoding="utf-8")
    found = settings(FIXPROOF_BROKER_URL=url, FIXPROOF_BROKER_PASSWORD_FILE=str(file))
    assert found.broker_url == whole
    assert {"s:/@cret", "s%3A%2F%40cret"} <= {*found.secrets}
    assert "cret" not in repr(found)


def test_a_database_has_a_file_for_its_password_too(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("secret", encoding="utf-8")
    url = "postgresql://fixproof@postgres/fixproof"
    found = settings(FIXPROOF_DATABASE_URL=url, FIXPROOF_DATABASE_PASSWORD_FILE=str(file))
    assert found.database_url == "postgresql://fixproof:secret@postgres/fixproof"


@pytest.mark.parametrize(
    ("url", "content", "told"),
    [
        ("redis://redis/0", None, "cannot be read"),
        ("redis://redis/0", "\n", "is empty"),
        ("redis://:ours@redis/0", "secret", "has a password, and"),
        ("", "secret", "FIXPROOF_BROKER_URL is not"),
    ],
)
def test_a_password_file_that_is_no_good_is_said(
    tmp_path: Path, url: str, content: str | None, told: str
) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(WrongUsage, match=told) as caught:
        settings(FIXPROOF_BROKER_URL=url, FIXPROOF_BROKER_PASSWORD_FILE=str(file))
    assert "secret" not in str(caught.value)
    assert "ours" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("", None),
        ("9464", ("127.0.0.1", 9464)),
        (":9464", ("127.0.0.1", 9464)),
        ("0.0.0.0:9464", ("0.0.0.0", 9464)),
        ("[::1]:9464", ("::1", 9464)),
    ],
)
def test_metrics_are_told_to_this_machine_alone_unless_a_host_is_said(
    said: str, meant: tuple[str, int] | None
) -> None:
    assert settings(FIXPROOF_METRICS=said).metrics == meant


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("FIXPROOF_METRICS", "here"),
        ("FIXPROOF_METRICS", "99999"),
        ("FIXPROOF_LOG_FORMAT", "xml"),
        ("FIXPROOF_KEEP_RUNS", "forever"),
        ("FIXPROOF_KEEP_ENVIRONMENTS", "-1"),
    ],
)
def test_what_means_nothing_is_said(name: str, said: str) -> None:
    with pytest.raises(WrongUsage, match=f"{name} is"):
        settings(**{name: said})
