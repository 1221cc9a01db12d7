"""The documentation names everything that exists, and nothing that does not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_type_hints

import msgspec
import pytest

import pathway_viz
from pathway_viz.conf import Settings
from pathway_viz.topics import ColumnType
from pathway_viz.widgets import KINDS
from pathway_viz.wire import CloseCode, Liveness, MessageType, SnapshotReason, decode_client

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(page: str, heading: str) -> str:
    return re.split(rf"^#+ {re.escape(heading)}.*$", page, flags=re.MULTILINE)[1].split("\n## ")[0]


def documented_settings() -> dict[str, str]:
    return dict(
        re.findall(r"^\| `([A-Z_]+)` \| .* \| (.*) \|$", text("settings.md"), flags=re.MULTILINE)
    )


def test_every_setting_is_documented_and_no_other() -> None:
    keys = {field.encode_name for field in msgspec.structs.fields(Settings)}
    assert set(documented_settings()) == keys


@pytest.mark.parametrize("field", msgspec.structs.fields(Settings), ids=lambda f: f.encode_name)
def test_a_settings_default_is_the_documented_one(field: msgspec.structs.FieldInfo) -> None:
    documented = documented_settings()[field.encode_name]
    if field.default not in ("", ()):
        assert json.loads(documented.strip("`")) == field.default


@pytest.mark.parametrize("kind", MessageType)
def test_every_message_type_is_documented_with_an_example(kind: MessageType) -> None:
    assert re.search(rf"^### {kind}\b", text("protocol.md"), flags=re.MULTILINE)
    assert f'"type": "{kind}"' in text("protocol.md")


@pytest.mark.parametrize("code", CloseCode)
def test_every_close_code_is_documented(code: CloseCode) -> None:
    assert f"| {code.value} |" in section(text("protocol.md"), "Close codes")


@pytest.mark.parametrize("word", [*SnapshotReason, *Liveness, *ColumnType])
def test_every_word_of_the_protocol_is_documented(word: str) -> None:
    assert re.search(rf"^\| `{word}` \|", text("protocol.md"), flags=re.MULTILINE)


def examples() -> list[str]:
    return re.findall(r"```json\n(.*?)```", text("protocol.md"), flags=re.DOTALL)


@pytest.mark.parametrize("example", examples())
def test_an_example_of_the_protocol_is_json(example: str) -> None:
    assert json.loads(example)


def test_the_browsers_examples_are_accepted_by_a_node() -> None:
    said = [example for example in examples() if example.startswith("[")]
    assert [type(decode_client(example)[0]).__name__ for example in said] == [
        "Hello",
        "Ack",
        "HistoryRequest",
    ]


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_widget_kind_is_documented_with_all_its_options(kind: object) -> None:
    page = section(text("widgets.md"), kind.name)  # type: ignore[attr-defined]
    for option in get_type_hints(kind.options):  # type: ignore[attr-defined]
        assert f"`{option}`" in page, option


@pytest.mark.parametrize("name", pathway_viz.__all__)
def test_every_public_name_is_in_the_api_page_and_has_a_docstring(name: str) -> None:
    assert re.search(rf"\b{name}\b", text("api.md"))
    assert getattr(pathway_viz, name).__doc__


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#|<)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (DOCS / target).exists()] == []


def test_the_readmes_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / "README.md").read_text("utf-8"))
    assert [target for target in targets if not (ROOT / target).exists()] == []
