"""A shop to publish, and to be watched."""

from __future__ import annotations

from pathway_viz.bus.publisher import Publisher
from pathway_viz.bus.types import BusOptions, Change, Published
from pathway_viz.topics import Column, ColumnType, Topic, TopicKind
from pathway_viz.widgets import DashboardSpec, WidgetSpec


class Shop:
    """A publisher with one dashboard: a keyed topic and an append topic."""

    REGIONS = Topic(
        name="regions",
        title="Regions",
        kind=TopicKind.KEYED,
        columns=(
            Column(name="region", type=ColumnType.STR),
            Column(name="total", type=ColumnType.INT),
        ),
    )
    EVENTS = Topic(
        name="events",
        title="Events",
        kind=TopicKind.APPEND,
        columns=(Column(name="number", type=ColumnType.INT),),
    )

    def __init__(self, options: BusOptions, visibility: str = "public") -> None:
        self.publisher = Publisher(options, owner="the shop")
        self.publisher.claim([self.REGIONS, self.EVENTS])
        self.publisher.declare([self.REGIONS, self.EVENTS])
        widgets = (
            self.widget("regions", "table", "regions"),
            self.widget("total", "stat", "regions", column="total"),
            self.widget("events", "chart", "events", y=["number"]),
        )
        spec = DashboardSpec(
            slug="shop",
            title="Shop",
            worker="shop",
            visibility=visibility,
            widgets=widgets,  # type: ignore[arg-type]
        )
        self.publisher.declare_dashboards("shop", [spec])
        self.set("eu", 0, replace=True)
        self.happen(0)

    @staticmethod
    def widget(name: str, kind: str, topic: str, **options: object) -> WidgetSpec:
        return WidgetSpec(name=name, kind=kind, topic=topic, title=name.title(), options=options)

    def set(self, region: str, total: int, **more: object) -> str:
        upserts = {b'"%s"' % region.encode(): b'["%s",%d]' % (region.encode(), total)}
        change = {"topic": "regions", "kind": TopicKind.KEYED, "commit": 7, "upserts": upserts}
        return self._publish(Change(**{**change, **more}))  # type: ignore[arg-type]

    def drop(self, region: str) -> str:
        return self.set(region, 0, upserts={}, deletes=(b'"%s"' % region.encode(),))

    def happen(self, *numbers: int) -> str:
        rows = tuple(b"[%d]" % number for number in numbers)
        return self._publish(Change(topic="events", kind=TopicKind.APPEND, commit=7, rows=rows))

    def _publish(self, change: Change) -> str:
        (outcome,) = self.publisher.publish([change])
        assert isinstance(outcome, Published)
        return str(outcome.position)
