"""Starting: the web node of a plain script, the publishing thread, the Pathway run."""

from __future__ import annotations

import importlib
import threading
from typing import Any

from pathway_viz.pipeline import options
from pathway_viz.pipeline.runtime import runtime
from pathway_viz.pipeline.tables import tables


def start() -> None:
    """Publish what was declared; in a plain script also start a web node and open the page.

    A script that nobody serves (no PATHWAYVIZ_WORKER=1, no ``configure(serve=False)``) gets an
    embedded Valkey, unless REDIS_URL names a server, and a web node; both end with the script.

    Raises:
        BusMissing: if there is no Redis to publish to and none can be started.
        BusUnreachable: if the script's own Redis does not answer.

    """
    told = options.current()
    if told.serves:
        _launch(told)
    tables().bind()
    thread = runtime().thread()
    thread.declare(runtime().registry.specs(options.current().worker_name))


def run(**arguments: Any) -> None:
    """`start`, then ``pathway.run``.

    Args:
        **arguments: passed on to ``pathway.run``; ``monitoring_level`` is NONE if left out.

    A script that serves its own page stays until Ctrl-C when the input has ended, so that the
    page can be looked at.

    """
    serves = options.current().serves
    start()
    import pathway as pw

    arguments.setdefault("monitoring_level", pw.MonitoringLevel.NONE)
    try:
        pw.run(**arguments)
        if serves:
            print("The pipeline has ended; the page stays until Ctrl-C.")  # noqa: T201
            threading.Event().wait()
    except KeyboardInterrupt:
        pass
    finally:
        runtime().thread().stop()


def _launch(told: options.PipelineOptions) -> None:
    # By name: the pipeline side must not depend on the web side.
    launcher = importlib.import_module("pathway_viz.standalone.launch")
    launched = launcher.launch(
        worker=told.worker_name, redis_url=told.redis_url, open_browser=told.open_browser
    )
    options.configure(redis_url=launched.redis_url)
