"""A shop's orders, live: totals, by region, per minute.

    python examples/shop.py

Orders are made up, unless KAFKA_BROKERS names a Kafka that has them in the topic ``orders``, as
JSON with the fields of `Order`. The consumer group is stable: a restart goes on where it was.
"""

import os
import random
import socket
import time
from datetime import UTC, datetime, timedelta

import pathway as pw

import pathway_viz as pv

REGIONS = {"us-east": 5, "us-west": 3, "europe": 4, "asia": 2}


class Order(pw.Schema):
    time: pw.DateTimeUtc
    region: str
    product: str
    amount: float


class MadeUpOrders(pw.io.python.ConnectorSubject):
    def run(self):
        while True:
            self.next(
                time=datetime.now(UTC),
                region=random.choices(list(REGIONS), REGIONS.values())[0],
                product=random.choice(["tea", "coffee", "cocoa", "sugar"]),
                amount=round(random.lognormvariate(3, 0.6), 2),
            )
            time.sleep(random.expovariate(8))


def read_orders():
    brokers = os.environ.get("KAFKA_BROKERS")
    if not brokers:
        return pw.io.python.read(MadeUpOrders(), schema=Order, autocommit_duration_ms=100)
    group = os.environ.get("PATHWAYVIZ_GROUP_ID", f"pathway-viz-{socket.gethostname()}")
    return pw.io.kafka.read(
        {"bootstrap.servers": brokers, "group.id": group, "auto.offset.reset": "earliest"},
        topic="orders",
        format="json",
        schema=Order,
        autocommit_duration_ms=100,
        name="orders",
    )


orders = read_orders()
totals = orders.reduce(
    revenue=pw.reducers.sum(pw.this.amount),
    orders=pw.reducers.count(),
    average=pw.reducers.avg(pw.this.amount),
)
by_region = orders.groupby(pw.this.region).reduce(
    pw.this.region,
    total=pw.reducers.sum(pw.this.amount),
    orders=pw.reducers.count(),
)
per_minute = orders.windowby(
    pw.this.time, window=pw.temporal.tumbling(timedelta(minutes=1))
).reduce(window_end=pw.this._pw_window_end, orders=pw.reducers.count())  # noqa: SLF001

pv.dashboard("shop", title="The shop", description="Orders as they come in.")
pv.stat(totals, "revenue", unit="$", format=",.2f", delta=True, sparkline=True)
pv.stat(totals, "orders", format=",d", delta=True, sparkline=True)
pv.stat(totals, "average", title="Average order", unit="$", format=",.2f")
pv.chart(per_minute, x="window_end", y="orders", title="Orders per minute", style="area", y_min=0)
pv.table(by_region, title="By region", sort_by="total", descending=True, formats={"total": "bar"})
pv.table(orders, title="Latest orders", max_rows=20, formats={"region": "badge", "time": "time"})

if __name__ == "__main__":
    pv.run()
