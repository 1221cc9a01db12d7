"""A web server's access log, live: requests per second, answers by status, busiest paths.

    python examples/access_log.py /var/log/nginx/access.log

Follows the file as it grows, in the *combined* format of nginx and Apache.
"""

import re
import sys
from datetime import datetime, timedelta

import pathway as pw

import pathway_viz as pv

LINE = re.compile(
    r"(?P<client>\S+) \S+ \S+ \[(?P<time>[^]]+)\] "
    r'"(?P<method>\S+) (?P<path>[^ ?"]+)[^"]*" (?P<status>\d{3}) (?P<size>\d+|-)'
)
path = sys.argv[1] if len(sys.argv) > 1 else "/var/log/nginx/access.log"


class Line(pw.Schema):
    data: str


@pw.udf
def parse(line: str) -> pw.Json:
    found = LINE.match(line)
    if not found:
        return pw.Json(None)
    size = found["size"]
    return pw.Json({**found.groupdict(), "size": int(size) if size != "-" else 0})


@pw.udf
def moment(text: str) -> pw.DateTimeUtc:
    return pw.DateTimeUtc(datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z"))


lines = pw.io.fs.read(path, format="plaintext", mode="streaming", autocommit_duration_ms=100)
parsed = lines.select(found=parse(pw.this.data)).filter(pw.this.found != pw.Json(None))
requests = parsed.select(
    time=moment(pw.this.found["time"].as_str(unwrap=True)),
    path=pw.this.found["path"].as_str(unwrap=True),
    status=pw.this.found["status"].as_str(unwrap=True),
    size=pw.this.found["size"].as_int(unwrap=True),
)
totals = requests.reduce(requests=pw.reducers.count(), bytes=pw.reducers.sum(pw.this.size))
per_second = requests.windowby(
    pw.this.time,
    window=pw.temporal.tumbling(timedelta(seconds=1)),
    behavior=pw.temporal.common_behavior(cutoff=timedelta(minutes=10), keep_results=False),
).reduce(second=pw.this._pw_window_end, requests=pw.reducers.count())  # noqa: SLF001
by_status = requests.groupby(pw.this.status).reduce(pw.this.status, requests=pw.reducers.count())
by_path = requests.groupby(pw.this.path).reduce(
    pw.this.path, requests=pw.reducers.count(), bytes=pw.reducers.sum(pw.this.size)
)

pv.dashboard("access-log", title="Access log", description=f"What {path} says, as it grows.")
pv.stat(totals, "requests", format=",d", sparkline=True, delta=True)
pv.stat(totals, "bytes", title="Sent", format=".3s", unit="B")
pv.table(by_status, title="By status", sort_by="status", formats={"status": "badge"})
pv.chart(per_second, x="second", y="requests", title="Requests per second", style="area", y_min=0)
pv.table(
    by_path,
    title="Busiest paths",
    sort_by="requests",
    descending=True,
    formats={"path": "code", "requests": "bar", "bytes": "bytes"},
)

if __name__ == "__main__":
    pv.run()
