"""Pathway tables as sources: the only module that imports pathway, and only for a table."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec

from pathway_viz.errors import DeclarationError
from pathway_viz.pipeline import options
from pathway_viz.pipeline.encode import column_type, key_of
from pathway_viz.pipeline.runtime import runtime
from pathway_viz.pipeline.source import Source
from pathway_viz.topics import Column, Topic, TopicKind

if TYPE_CHECKING:
    import pathway as pw


class Described(msgspec.Struct, frozen=True):
    """A table's columns and kind, as a topic would have them."""

    columns: tuple[Column, ...]
    kind: TopicKind


def is_table(value: object) -> bool:
    """Whether ``value`` is a Pathway table; never imports pathway to find out."""
    kind = type(value)
    return kind.__name__ == "Table" and kind.__module__.startswith("pathway.")


def describe(table: pw.Table[Any]) -> Described:
    """The columns and the kind of ``table``."""
    hints = table.schema.typehints()
    columns = tuple(Column(name=name, type=column_type(hint)) for name, hint in hints.items())
    kind = TopicKind.APPEND if table.is_append_only else TopicKind.KEYED
    return Described(columns, kind)


class TableSources:
    """One source for each table, however many widgets look at it."""

    def __init__(self) -> None:
        self._sources: dict[int, tuple[object, Source]] = {}
        self._apart: list[tuple[pw.Table[Any], Source]] = []

    def of(self, table: pw.Table[Any], wish: str, topic: str | None, title: str) -> Source:
        """The source of ``table``: the one there is, or a new one with a free name."""
        held = self._sources.get(id(table))
        if held is None:
            source = self._subscribe(table, topic or _free(wish), title)
            self._sources[id(table)] = (table, source)
            return source
        if topic is not None and topic != held[1].topic.name:
            raise DeclarationError(
                f"topic={topic!r}: this table is published as {held[1].topic.name!r} already; "
                "a table has one topic."
            )
        return held[1]

    def _subscribe(self, table: pw.Table[Any], name: str, title: str) -> Source:
        if name in runtime().sources:
            raise DeclarationError(f"topic={name!r} is used by another table or name already.")
        described = describe(table)
        topic = Topic(
            name=name,
            title=title,
            kind=described.kind,
            columns=described.columns,
            worker=options.current().worker_name,
        )
        source = Source(
            topic,
            limit=options.current().buffer_rows,
            key=_key,
            order=_order_of(topic),
            wake=runtime().wake,
            lock=runtime().lock,
        )
        _subscribe(table, source)
        self._apart.append((table, source))
        return runtime().add(source)

    def bind(self) -> None:
        """Make the commits of all tables visible together; called when all are declared.

        A table's own callback tells when a commit is complete in that table. A union of all tables
        comes after them in the dataflow, so a commit that is complete there is complete in each.
        """
        tables, self._apart = self._apart, []
        if len(tables) < 2:  # noqa: PLR2004 - one table is with itself
            return
        import pathway as pw

        sources = [source for _, source in tables]
        for source in sources:
            source.waits_for_others = True

        def complete(time: int) -> None:
            with runtime().lock:
                for source in sources:
                    source.show(time)
            runtime().wake()

        union = pw.Table.concat_reindex(*(_fingerprints(table) for table, _ in tables))
        _watch(union, lambda key, row, time, diff: None, complete)  # noqa: ARG005


def _watch(
    table: pw.Table[Any],
    on_change: Callable[[Any, list[Any], int, int], None],
    on_time_end: Callable[[int], None],
) -> None:
    """What ``pw.io.subscribe`` does, and two things that it cannot.

    Rows come as lists, not as dictionaries made for each; and what Pathway's persistence restored
    comes too (at time 0), so that a worker that starts again knows its whole state. The callbacks
    run inside the engine, where a slow one stalls the pipeline: they only store.
    """
    from pathway.internals.datasink import CallbackDataSink
    from pathway.internals.table_io import table_to_datasink

    sink = CallbackDataSink(
        on_change=on_change,
        on_time_end=on_time_end,
        on_end=lambda: None,
        skip_persisted_batch=False,
        skip_errors=True,
        unique_name=None,
    )
    table_to_datasink(table, sink)


def _subscribe(table: pw.Table[Any], source: Source) -> None:
    change = source.change

    def on_change(key: Any, row: list[Any], _: int, diff: int) -> None:
        change(key, row, diff > 0)

    _watch(table, on_change, source.end_commit)


def _fingerprints(table: pw.Table[Any]) -> pw.Table[Any]:
    """Each row as a hash of its values: of one type in all tables, and changed by every update."""
    import pathway as pw

    columns = [table[name] for name in table.schema.typehints()]
    fingerprint = pw.declare_type(pw.Pointer, table.pointer_from(*columns))
    marked: pw.Table[Any] = table.select(fingerprint=fingerprint)
    return marked


def _order_of(topic: Topic) -> Any:
    """Rows of one commit come in any order; where they have a time, it puts them right."""
    times = [at for at, column in enumerate(topic.columns) if column.type.temporal]
    return itemgetter(times[0]) if times else None


def _key(key: Hashable) -> bytes:
    return key_of(int(key))  # type: ignore[call-overload]


def _free(wish: str) -> str:
    name, number = wish, 1
    while name in runtime().sources:
        number += 1
        name = f"{wish}-{number}"
    return name


@cache
def tables() -> TableSources:
    """The table sources of this process."""
    return TableSources()


def numeric_column(columns: Sequence[Column]) -> str | None:
    """The only numeric column, which may be left unnamed; None if there is a choice."""
    found = [column.name for column in columns if column.type.numeric]
    return found[0] if len(found) == 1 else None
