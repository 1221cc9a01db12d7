"""The public calls that declare dashboards and widgets. Arguments are checked when called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from pathway_viz.errors import DeclarationError
from pathway_viz.pipeline.handle import TIME, VALUE, Handle, Named, named_columns
from pathway_viz.pipeline.registry import DEFAULT_SLUG, Dashboard
from pathway_viz.pipeline.runtime import runtime
from pathway_viz.pipeline.tables import describe, is_table, numeric_column, tables
from pathway_viz.topics import Column, ColumnType, Topic, check_name, slugify
from pathway_viz.widgets import (
    Size,
    WidgetSpec,
    decode_options,
    encode_options,
    kind_of,
    problems,
)

if TYPE_CHECKING:
    import pathway as pw

Source: TypeAlias = "pw.Table[Any] | str"


def dashboard(
    slug: str,
    *,
    title: str | None = None,
    description: str = "",
    visibility: Literal["public", "signed_in", "restricted"] | None = None,
    theme: Literal["auto", "light", "dark"] | None = None,
) -> Dashboard:
    """Declare a dashboard; the widgets that follow go there.

    Args:
        slug: its address: a-z, 0-9, ``-`` and ``_``.
        title: what people read; made from the slug if left out.
        description: a sentence or two that explain what is seen.
        visibility: who may look; left out, the site's default.
        theme: its colours; left out, as the viewer's system.

    Returns:
        The dashboard, for a widget's ``dashboard=`` or a ``with`` block.

    Raises:
        DeclarationError: if an argument cannot work.

    """
    words = title or slug.replace("-", " ").replace("_", " ").capitalize()
    return runtime().registry.dashboard(
        slug, title=words, description=description, visibility=visibility, theme=theme
    )


def title(text: str, *, description: str = "") -> Dashboard:
    """Give the default dashboard, ``main``, a title and a description."""
    return dashboard(DEFAULT_SLUG, title=text, description=description)


def stat(source: Source, column: str | None = None, **options: Any) -> Handle:
    """Declare a stat: the latest value of one column, large.

    Args:
        source: a Pathway table, or a name to ``send`` to.
        column: the column; may be left out if the table has only one numeric column.
        **options: ``unit``, ``format``, ``delta``, ``delta_good``, ``sparkline``, ``warning``,
            ``critical`` (or ``thresholds={"warning": …, "critical": …}``), and what every widget
            takes: ``title``, ``description``, ``size``, ``name``, ``topic``, ``dashboard``.

    Raises:
        DeclarationError: naming the columns that exist, the type needed or the option.

    """
    return _declare("stat", source, {"column": column}, options, value_type=ColumnType.ANY)


def gauge(source: Source, column: str | None = None, **options: Any) -> Handle:
    """Declare a gauge: the latest value of one numeric column between two bounds.

    Args:
        source: a Pathway table, or a name to ``send`` to.
        column: the column; may be left out if the table has only one numeric column.
        **options: ``min`` (0), ``max`` (100), ``unit``, ``format``, ``warning``, ``critical`` (or
            ``thresholds``), and what every widget takes (see `stat`).

    Raises:
        DeclarationError: naming the columns that exist, the type needed or the option.

    """
    return _declare("gauge", source, {"column": column}, options, value_type=ColumnType.FLOAT)


def chart(
    source: Source, *, x: str | None = None, y: str | Sequence[str] | None = None, **options: Any
) -> Handle:
    """Declare a chart: lines or areas over time.

    Args:
        source: a Pathway table, or a name to ``send`` to.
        x: the column that places a point in time; left out: the row's commit.
        y: the numeric column or columns, a line each; may be left out if there is only one.
        **options: ``series``, ``style`` ("line", "area"), ``stacked``, ``unit``, ``format``,
            ``y_min``, ``y_max``, ``window_s`` (seconds), ``max_points``, ``warning``, ``critical``,
            and what every widget takes (see `stat`).

    Raises:
        DeclarationError: naming the columns that exist, the type needed or the option.

    """
    lines = (y,) if isinstance(y, str) else y
    chosen = {"x": x, "y": tuple(lines) if lines else None}
    return _declare("chart", source, chosen, options, value_type=ColumnType.FLOAT)


def table(
    source: Source,
    *,
    columns: Sequence[str] | None = None,
    key: str | Sequence[str] | None = None,
    **options: Any,
) -> Handle:
    """Declare a table: a topic's rows, live.

    Args:
        source: a Pathway table, or a name to ``send`` rows (dicts) to.
        columns: which columns, in this order; all if left out.
        key: for a name: the column or columns that identify a row, which is then replaced; left
            out, rows are events.
        **options: ``sort_by``, ``descending``, ``max_rows``, ``formats``, and what every widget
            takes (see `stat`).

    Raises:
        DeclarationError: naming the columns that exist or the option.

    """
    keys = (key,) if isinstance(key, str) else tuple(key or ())
    if keys and not isinstance(source, str):
        raise DeclarationError("key=… is for names; a Pathway table has its own keys.")
    chosen = {"columns": tuple(columns) if columns else None}
    return _declare("table", source, chosen, options, value_type=ColumnType.ANY, key=keys)


class _Common(msgspec.Struct, frozen=True, kw_only=True):
    """What every widget takes."""

    title: str = ""
    description: str = ""
    size: Size | None = None
    name: str = ""
    topic: str | None = None


def _declare(
    kind: str,
    source: Source,
    chosen: Mapping[str, Any],
    given: Mapping[str, Any],
    *,
    value_type: ColumnType,
    key: Sequence[str] = (),
) -> Handle:
    options = {name: value for name, value in {**chosen, **given}.items() if value is not None}
    board = runtime().registry.chosen(options.pop("dashboard", None))
    common = _common(kind, options)
    _spread_thresholds(options)
    if is_table(source):
        _fill(kind, options, describe(source).columns)  # type: ignore[arg-type]
    words = common.title or _words(source, options)
    name = common.name or board.free_name(_wish(source, words))
    named = _named(kind, source, options, key, value_type) if isinstance(source, str) else None
    topic = named.topic if named else _published(kind, source, name, common.topic, words)
    if named:
        _fill(kind, options, topic.columns)
    widget = WidgetSpec(
        name=name,
        kind=kind,
        topic=topic.name,
        title=words,
        description=common.description,
        size=common.size or kind_of(kind).size,
        options=_checked(kind, options, topic),
    )
    board.add(widget)
    runtime().sources[topic.name].hint(kind, widget.options)
    return Handle(name, topic.name, named, [c.name for c in topic.columns if c.name != TIME])


def _common(kind: str, options: dict[str, Any]) -> _Common:
    mine = {f: options.pop(f) for f in _Common.__struct_fields__ if f in options}
    try:
        return msgspec.convert(mine, _Common)
    except msgspec.ValidationError as error:
        raise DeclarationError(f"{kind}(): {error}") from error


def _spread_thresholds(options: dict[str, Any]) -> None:
    thresholds = options.pop("thresholds", {})
    unknown = set(thresholds) - {"warning", "critical"}
    if unknown:
        raise DeclarationError(
            f"thresholds: {min(unknown)!r} is unknown; expected 'warning' and 'critical'."
        )
    options.update(thresholds)


def _words(source: Source, options: Mapping[str, Any]) -> str:
    """A title from what was given: the name, or the columns."""
    words = source if isinstance(source, str) else options.get("column") or options.get("y")
    first = words[0] if isinstance(words, tuple) else words
    return str(first or "Table").replace("_", " ").capitalize()


def _wish(source: Source, words: str) -> str:
    return source if isinstance(source, str) else words


def _published(kind: str, source: Source, wish: str, topic: str | None, words: str) -> Topic:
    if not is_table(source):
        raise DeclarationError(
            f"{kind}(): the first argument is a Pathway table or a name to send to, but got "
            f"{type(source).__name__}."
        )
    name = check_name(topic) if topic else None
    return tables().of(source, wish, name, words).topic  # type: ignore[arg-type]


def _named(
    kind: str, source: str, options: Mapping[str, Any], key: Sequence[str], value_type: ColumnType
) -> Named:
    """The topic that values are sent to under this name: the one there is, or a new one."""
    name = slugify(source)
    held = runtime().named.get(name)
    if held is not None:
        return held
    columns = _sent_columns(kind, options, key, value_type)
    named = runtime().named[name] = Named(name, source, columns, key)
    runtime().add(named.source)
    return named


def _sent_columns(
    kind: str, options: Mapping[str, Any], key: Sequence[str], value_type: ColumnType
) -> list[Column] | None:
    if kind != "table":
        wanted = options.get("y") or (options.get("column", VALUE),)
        return named_columns(wanted, value_type)
    names = options.get("columns")
    if names is None:
        return None
    missing = [name for name in key if name not in names]
    return [Column(name=name, type=ColumnType.ANY) for name in (*missing, *names)]


def _fill(kind: str, options: dict[str, Any], columns: Sequence[Column]) -> None:
    """Fill in the column that was left out, where there is only one to choose."""
    field = {"stat": "column", "gauge": "column", "chart": "y"}.get(kind)
    if kind == "chart" and columns[0].name == TIME and columns[0].type is ColumnType.TIMESTAMP:
        options.setdefault("x", TIME)
    if field is None or field in options:
        return
    column = numeric_column(columns)
    if column is None:
        have = ", ".join(column.name for column in columns)
        raise DeclarationError(f"{kind}(): say which column; there are {have}.")
    options[field] = (column,) if kind == "chart" else column


def _checked(kind: str, options: dict[str, Any], topic: Topic) -> dict[str, Any]:
    checked = decode_options(kind, options)
    unfit = problems(checked, topic) if topic.columns else []
    if unfit:
        raise DeclarationError(f"{kind}(): {unfit[0]}")
    return encode_options(checked)
