"""What all kinds of widgets share: option types, roles of columns, the declared form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Literal, get_args, get_origin, get_type_hints

import msgspec

from pathway_viz.errors import DeclarationError
from pathway_viz.topics import ColumnType, Topic

# d3-format's grammar: [[fill]align][sign][symbol][0][width][,][.precision][~][type]
_NUMBER_FORMAT: Final = re.compile(
    r"(?:(.)?([<>=^]))?([+\-( ])?([$#])?(0)?(\d{1,2})?(,)?(\.\d{1,2})?(~)?([a-zA-Z%])?"
)


class Role(StrEnum):
    """What a column option expects of the column it names."""

    ANY = "any"
    NUMERIC = "numeric"
    TIME = "time"  # a point in time, or a number

    def fits(self, kind: ColumnType) -> bool:
        """Whether a column of this type can play the role."""
        if self is Role.ANY:
            return True
        return kind.numeric or (self is Role.TIME and kind.temporal)


class Size(StrEnum):
    """A widget's share of the dashboard's width: 3, 6, 9 or 12 of 12 grid columns."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"
    FULL = "full"


def column(role: Role, title: str, text: str) -> msgspec.Meta:
    """Describe an option that names a column (or several)."""
    return msgspec.Meta(title=title, description=text, extra={"role": role})


def text(title: str, help_text: str, **bounds: Any) -> msgspec.Meta:
    """Describe any other option; ``bounds`` are msgspec constraints such as ``ge``."""
    return msgspec.Meta(title=title, description=help_text, **bounds)


NumberFormat = Annotated[
    str,
    msgspec.Meta(
        title="Number format",
        description="d3-format, for example ',.0f', '.2f', '.1%' or '.3s'; empty chooses by value",
        max_length=20,
        extra={"number_format": True},
    ),
]
Unit = Annotated[str, text("Unit", "Shown beside the value, for example '%' or '$'", max_length=20)]
WarningAt = Annotated[
    float | None, text("Warning at", "From here on the value is shown as a warning")
]
CriticalAt = Annotated[
    float | None,
    text(
        "Critical at", "From here on it is shown as critical; below 'warning': low values are bad"
    ),
]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every kind's options. Fields carry their title, help and role in ``Annotated``."""

    def __post_init__(self) -> None:
        number_format = getattr(self, "format", "")
        if not _NUMBER_FORMAT.fullmatch(number_format):
            raise DeclarationError(
                f"format={number_format!r} is not a number format: expected d3-format such as "
                "',.0f', '.2f', '.1%' or '.3s'."
            )


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of widget: its name, what it is for, its options and its usual size."""

    name: str
    title: str
    description: str
    options: type[Options]
    size: Size


class WidgetSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A widget as code declares it. ``options`` are the kind's, as plain JSON values."""

    name: str
    kind: str
    topic: str
    title: str
    description: str = ""
    size: Size = Size.MEDIUM
    options: dict[str, Any] = {}


class DashboardSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A dashboard as code declares it: what a worker writes to Redis and nodes to the models.

    ``worker`` is the stable name of the program that declares it. ``visibility`` and ``theme``
    None leave the site's default.
    """

    slug: str
    title: str
    worker: str
    description: str = ""
    visibility: Literal["public", "signed_in", "restricted"] | None = None
    theme: Literal["auto", "light", "dark"] | None = None
    widgets: tuple[WidgetSpec, ...] = ()


class ColumnOption(msgspec.Struct, frozen=True, kw_only=True):
    """One option of a kind that names columns: its field, role, and the columns named."""

    field: str
    role: Role
    columns: tuple[str, ...]


def column_options(options: Options) -> Iterator[ColumnOption]:
    """The options of ``options`` that name columns, with the names they hold now."""
    for field, hint in get_type_hints(type(options), include_extras=True).items():
        role = role_of(hint)
        if role is not None:
            yield ColumnOption(field=field, role=role, columns=_names(getattr(options, field)))


def role_of(hint: Any) -> Role | None:
    """The role in an ``Annotated`` type hint, or None if it does not name columns."""
    if get_origin(hint) is ClassVar:
        return None
    for part in get_args(hint)[1:] if get_origin(hint) is Annotated else ():
        if isinstance(part, msgspec.Meta) and part.extra and "role" in part.extra:
            return Role(part.extra["role"])
    return None


def _names(value: object) -> tuple[str, ...]:
    if not value:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)  # type: ignore[arg-type]


def problems(options: Options, topic: Topic) -> list[str]:
    """What stands between ``options`` and ``topic``: a sentence per missing or unfit column."""
    return [
        sentence
        for option in column_options(options)
        for name in option.columns
        if (sentence := _problem(option, name, topic))
    ]


def _problem(option: ColumnOption, name: str, topic: Topic) -> str | None:
    found = topic.column(name)
    if found is None:
        have = ", ".join(topic.column_names)
        return f"{option.field}: topic {topic.name!r} has no column {name!r}; it has {have}."
    if option.role.fits(found.type):
        return None
    return f"{option.field}: column {name!r} is {found.type}, a {option.role} column is needed."
