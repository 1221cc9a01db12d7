"""Stock Channels: an AsyncJsonWebsocketConsumer in a group of channels_redis's pub/sub layer."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import django
from django.conf import settings

if not settings.configured:
    settings.configure(
        INSTALLED_APPS=["channels"],
        SECRET_KEY="only-for-the-benchmark",
        CHANNEL_LAYERS={
            "default": {
                "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
                "CONFIG": {"hosts": [os.environ["BENCH_REDIS"]]},
            }
        },
    )
    django.setup()

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import get_channel_layer

ROW = {"row": "x" * (int(os.environ.get("BENCH_BYTES", "512")) - 12)}


class Consumer(AsyncJsonWebsocketConsumer):
    """As the Channels tutorial has it."""

    async def connect(self) -> None:
        """Join the group."""
        await self.channel_layer.group_add("bench", self.channel_name)
        await self.accept()

    async def frame(self, event: dict[str, Any]) -> None:
        """Pass a message of the group on."""
        await self.send_json(event["content"])


application = Consumer.as_asgi()


async def _publish(hz: float) -> None:
    layer = get_channel_layer()
    while True:
        await layer.group_send("bench", {"type": "frame", "content": ROW})
        time.sleep(1 / hz)  # noqa: ASYNC251 - this process does nothing else


if __name__ == "__main__":
    import asyncio

    asyncio.run(_publish(float(sys.argv[1])))
