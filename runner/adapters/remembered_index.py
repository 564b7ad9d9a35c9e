"""A package index that is asked for each package but once: a night sees one state of it."""

from __future__ import annotations

from collections.abc import Callable

from packaging.utils import canonicalize_name

from runner.adapters.cached_documents import CachedDocuments
from runner.adapters.package_index import UvPackageIndex
from runner.errors import IndexUnreachable, UnknownPackage
from runner.releases import History


class RememberedIndex(UvPackageIndex):
    """Tells what it was told the first time, and that was asked afresh."""

    def __init__(self, cache: CachedDocuments) -> None:
        super().__init__(cache)
        self._told: dict[str, History | UnknownPackage | IndexUnreachable] = {}

    def history(
        self,
        package: str,
        *,
        fresh: bool = False,  # noqa: ARG002 - of the port
        asking: Callable[[], None] = lambda: None,
    ) -> History:
        """All releases as they were when they were first asked for."""
        name = canonicalize_name(package)
        if name not in self._told:
            try:
                self._told[name] = super().history(name, fresh=True, asking=asking)
            except (UnknownPackage, IndexUnreachable) as error:
                self._told[name] = error
        told = self._told[name]
        if isinstance(told, History):
            return told
        raise type(told)(told.message, hint=told.hint)  # a new one: whoever catches it adds to it
