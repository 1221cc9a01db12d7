"""A real form for each kind of widget, generated from the kind's option types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from pathway_viz.errors import DeclarationError
from pathway_viz.models import Dashboard, Widget
from pathway_viz.topics import Column, Topic, slugify
from pathway_viz.widgets import (
    KINDS,
    Role,
    complete_options,
    decode_options,
    default_of,
    kind_of,
    role_of,
)

OPTION = "option_"
FORMAT = "option_formats__"


class WidgetForm(forms.ModelForm):  # type: ignore[type-arg]
    """A widget: its head, and its kind's options.

    ``topics`` is the live catalogue. The kind and the topic decide which options there are; they
    are taken from the data, else from the widget.
    """

    class Meta:
        """The head; options follow from the kind."""

        model = Widget
        fields = ("kind", "topic", "title", "description", "size")

    def __init__(self, *args: Any, topics: Mapping[str, Topic], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.topics = topics
        self.kind = self._chosen("kind") or next(iter(KINDS))
        if self.kind not in KINDS:
            self.kind = next(iter(KINDS))
        self.topic_name = self._chosen("topic") or next(iter(topics), "")
        self._choose_topic()
        self.fields["kind"].initial = self.kind
        self.fields.update(option_fields(self.kind, self._columns(), self._stored()))

    @property
    def head_fields(self) -> list[forms.BoundField]:
        """The fields of the widget itself."""
        return [field for field in self.visible_fields() if not field.name.startswith(OPTION)]

    @property
    def option_fields(self) -> list[forms.BoundField]:
        """The fields of the kind's options."""
        return [field for field in self.visible_fields() if field.name.startswith(OPTION)]

    def clean(self) -> dict[str, Any]:
        """Put the options together and let their kind check them."""
        cleaned = super().clean() or {}
        values = collect_options(self.kind, cleaned)
        try:
            decode_options(self.kind, values)
        except DeclarationError as error:
            if not self.errors:
                raise ValidationError(str(error)) from error
        self.instance.options = values
        return cleaned

    def preview_options(self) -> dict[str, Any]:
        """The options as far as they are chosen; what is missing, as the form shows it."""
        shown = {field.name: _shown(field) for field in self.option_fields}
        given = getattr(self, "cleaned_data", {})
        values = collect_options(self.kind, {**shown, **{k: v for k, v in given.items() if v}})
        return complete_options(self.kind, values)

    def _chosen(self, field: str) -> str:
        given = self.data.get(self.add_prefix(field)) if self.is_bound else None
        return str(given or self.initial.get(field) or getattr(self.instance, field, ""))

    def _stored(self) -> Mapping[str, Any]:
        """The stored options, as far as they are of the kind that is chosen now."""
        same = self.instance.kind == self.kind
        stored = self.instance.options if same else {}
        return {**dict(self.initial.get("options", {})), **stored}

    def _columns(self) -> tuple[Column, ...]:
        topic = self.topics.get(self.topic_name)
        return topic.columns if topic else ()

    def _choose_topic(self) -> None:
        choices = [(name, f"{topic.title} ({name})") for name, topic in self.topics.items()]
        held = self.instance.topic
        if held and held not in self.topics:
            choices.insert(0, (held, _("%(name)s (missing)") % {"name": held}))
        label = self.fields["topic"].label
        self.fields["topic"] = forms.ChoiceField(
            choices=choices, label=label, initial=self.topic_name
        )


def option_fields(
    kind: str, columns: Iterable[Column], stored: Mapping[str, Any]
) -> dict[str, forms.Field]:
    """One form field for each option of ``kind``; a dict of column formats gives one per column."""
    options, known = kind_of(kind).options, list(columns)
    defaults = {field.name: default_of(field) for field in msgspec.structs.fields(options)}
    fields: dict[str, forms.Field] = {}
    for name, hint in get_type_hints(options, include_extras=True).items():
        value = stored.get(name, defaults[name])
        if get_origin(get_args(hint)[0]) is dict:
            fields |= _format_fields(hint, known, value or {})
        else:
            fields[OPTION + name] = _field(hint, known, value, required=defaults[name] is None)
            fields[OPTION + name].required &= name in _required(options)
    return fields


def collect_options(kind: str, cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """The options in a form's cleaned data, as plain values; what is empty is left out."""
    values = {
        name: cleaned.get(OPTION + name)
        for name in get_type_hints(kind_of(kind).options)
        if cleaned.get(OPTION + name) not in (None, "", [])
    }
    formats = {
        name.removeprefix(FORMAT): value
        for name, value in cleaned.items()
        if name.startswith(FORMAT) and value not in ("", "auto")
    }
    return {**values, **({"formats": formats} if formats else {})}


def _shown(field: forms.BoundField) -> Any:
    """A field's value as it is shown: its own, or the first choice of one that needs a choice."""
    choices = getattr(field.field, "choices", [])
    first = choices[0][0] if field.field.required and choices else None
    return field.initial or (first if isinstance(field.field, forms.ChoiceField) else None)


def _required(options: type) -> set[str]:
    return {f.name for f in msgspec.structs.fields(options) if f.required}


def _meta(hint: Any) -> msgspec.Meta:
    return next(part for part in get_args(hint)[1:] if isinstance(part, msgspec.Meta))


def _field(hint: Any, columns: list[Column], value: Any, *, required: bool) -> forms.Field:
    meta, kind = _meta(hint), get_args(hint)[0]
    common: dict[str, Any] = {
        "label": meta.title,
        "help_text": meta.description or "",
        "initial": value,
        "required": required,
    }
    role = role_of(hint)
    if role is not None:
        return _column_field(kind, role, columns, common)
    return _plain_field(kind, meta, common)


def _plain_field(kind: Any, meta: msgspec.Meta, common: dict[str, Any]) -> forms.Field:
    if get_origin(kind) in (Union, UnionType):
        kind = next(part for part in get_args(kind) if part is not NoneType)
    if get_origin(kind) is Annotated:
        meta, kind = _meta(kind), get_args(kind)[0]
    if get_origin(kind) is Literal:
        return forms.ChoiceField(choices=[(c, c.capitalize()) for c in get_args(kind)], **common)
    if kind is bool:
        return forms.BooleanField(**common)
    if kind is int:
        return forms.IntegerField(min_value=meta.ge, max_value=meta.le, **common)  # type: ignore[arg-type]
    if kind is float:
        widget = forms.NumberInput(attrs={"step": "any"})
        return forms.FloatField(widget=widget, **common)
    return forms.CharField(max_length=meta.max_length, **common)


def _column_field(
    kind: Any, role: Role, columns: list[Column], common: dict[str, Any]
) -> forms.Field:
    value = common["initial"]
    held = [value] if isinstance(value, str) else list(value or ())
    choices = _column_choices(role, columns, [name for name in held if name])
    if get_origin(kind) is tuple:
        boxes = forms.CheckboxSelectMultiple
        return forms.MultipleChoiceField(choices=choices, widget=boxes, **common)
    if not common["required"]:
        choices.insert(0, ("", "—"))
    return forms.ChoiceField(choices=choices, **common)


def _column_choices(
    role: Role, columns: list[Column], held: Iterable[str]
) -> list[tuple[str, Any]]:
    """The columns that fit the role; those held first, so that their order stays."""
    offered = {c.name: f"{c.name} ({c.type})" for c in columns if role.fits(c.type)}
    missing = {name: _("%(name)s (missing)") % {"name": name} for name in held}
    ordered = {name: offered.get(name, missing.get(name)) for name in [*held, *offered]}
    return list(ordered.items())


def _format_fields(
    hint: Any, columns: list[Column], value: Mapping[str, str]
) -> dict[str, forms.Field]:
    choices = [(choice, choice) for choice in get_args(get_args(get_args(hint)[0])[1])]
    names = dict.fromkeys([*(column.name for column in columns), *value])
    return {
        FORMAT + name: forms.ChoiceField(
            choices=choices,
            required=False,
            initial=value.get(name, "auto"),
            label=_("Format of %(name)s") % {"name": name},
        )
        for name in names
    }


def free_name(dashboard: Dashboard, title: str) -> str:
    """A widget name for ``title`` that ``dashboard`` does not have yet."""
    wish = slugify(title).replace(".", "-")
    taken, name, number = set(dashboard.widgets.values_list("name", flat=True)), wish, 1
    while name in taken:
        number += 1
        name = f"{wish}-{number}"
    return name
