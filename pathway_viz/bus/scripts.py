"""The Lua scripts: found beside this module, run by their hash, loaded again when Redis forgot."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import Any

import msgspec
import redis
import redis.asyncio
from redis.exceptions import NoScriptError


class Call(msgspec.Struct, frozen=True):
    """One run of a script: its name (``publish`` for publish.lua), its keys and arguments."""

    script: str
    keys: tuple[str, ...]
    arguments: tuple[str | bytes | int, ...]


@cache
def source(script: str) -> str:
    """The text of ``script``.lua."""
    return files(__package__).joinpath(f"{script}.lua").read_text(encoding="utf-8")


@cache
def _digest(script: str) -> str:
    return sha1(source(script).encode(), usedforsecurity=False).hexdigest()


def run_all(client: redis.Redis, calls: Sequence[Call]) -> list[Any]:
    """Run scripts in one transaction; a second one for those that Redis did not know yet."""
    replies = _pipeline(client, calls)
    unknown = [i for i, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
    if unknown:
        for script in {calls[i].script for i in unknown}:
            client.script_load(source(script))
        again = _pipeline(client, [calls[i] for i in unknown])
        for i, reply in zip(unknown, again, strict=True):
            replies[i] = reply
    _raise_first(replies)
    return replies


def _pipeline(client: redis.Redis, calls: Sequence[Call]) -> list[Any]:
    pipeline = client.pipeline(transaction=True)
    for call in calls:
        pipeline.evalsha(_digest(call.script), len(call.keys), *call.keys, *call.arguments)
    return list(pipeline.execute(raise_on_error=False))


def _raise_first(replies: Sequence[Any]) -> None:
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply


async def run(client: redis.asyncio.Redis, call: Call) -> Any:
    """Run one script with the asyncio client."""
    arguments = (*call.keys, *call.arguments)
    try:
        return await client.evalsha(_digest(call.script), len(call.keys), *arguments)
    except NoScriptError:
        return await client.eval(source(call.script), len(call.keys), *arguments)
