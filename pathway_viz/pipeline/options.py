"""What a pipeline may be told: where to publish, how often, under which name."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import msgspec

from pathway_viz.bus.types import DEFAULT_URL, BusOptions
from pathway_viz.errors import ConfigurationError
from pathway_viz.topics import slugify


class PipelineOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of `configure`, with their defaults."""

    redis_url: str = ""
    prefix: str = ""
    worker: str = ""
    coalesce_ms: int = 50
    buffer_rows: int = 100_000
    log_entries: int = 20_000
    log_age_s: float = 24 * 3600.0
    lease_s: float = 5.0
    heartbeat_s: float = 1.0
    serve: bool = True
    open_browser: bool | None = None

    @property
    def bus(self) -> BusOptions:
        """The part that describes the bus; the environment fills what was not told."""
        return BusOptions(
            url=self.redis_url or os.environ.get("REDIS_URL") or DEFAULT_URL,
            prefix=self.prefix or os.environ.get("PATHWAYVIZ_PREFIX") or "pv",
            log_entries=self.log_entries,
            log_age_s=self.log_age_s,
            lease_s=self.lease_s,
        )

    @property
    def worker_name(self) -> str:
        """The stable name of this program: its script's or module's."""
        name = self.worker or os.environ.get("PATHWAYVIZ_WORKER_NAME") or Path(sys.argv[0]).stem
        return slugify(name)

    @property
    def serves(self) -> bool:
        """Whether `start` also starts a web node: not in a worker that somebody else serves."""
        return self.serve and os.environ.get("PATHWAYVIZ_WORKER") != "1"


_current = PipelineOptions()


def current() -> PipelineOptions:
    """The options as they stand."""
    return _current


def configure(**options: Any) -> None:
    """Change options of this process; to be called before `start` and the first ``send``.

    Args:
        **options: any of ``redis_url`` (default: the environment's REDIS_URL), ``prefix``,
            ``worker`` (the stable name of this program, default its script's), ``coalesce_ms``
            (milliseconds between two frames of a topic), ``buffer_rows`` (most rows an append
            topic may hold back while Redis is away; then the oldest are dropped and counted),
            ``log_entries``, ``log_age_s`` (seconds), ``lease_s`` (seconds), ``heartbeat_s``
            (seconds), ``serve`` (False: no web node), ``open_browser``.

    Raises:
        ConfigurationError: for an unknown option or a value of the wrong type.

    """
    global _current  # noqa: PLW0603 - one process, one configuration
    merged = {**msgspec.structs.asdict(_current), **options}
    try:
        _current = msgspec.convert(merged, PipelineOptions)
    except msgspec.ValidationError as error:
        known = ", ".join(PipelineOptions.__struct_fields__)
        raise ConfigurationError(f"configure(): {error}. The options are: {known}.") from error
