"""``manage.py run_pipeline dotted.module``: run a pipeline as a worker of this site."""

from __future__ import annotations

import importlib.util
import logging
import os
import runpy
import threading
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pathway_viz.conf import settings
from pathway_viz.errors import PathwayVizError
from pathway_viz.web import catalogue


class Command(BaseCommand):
    """Runs a module that declares widgets and calls ``pv.run()``, on the site's Redis."""

    help = "Run a pipeline module (one that calls pathway_viz.run()) as a worker of this site."

    def add_arguments(self, parser: CommandParser) -> None:
        """The module."""
        parser.add_argument("module", help="dotted name, for example shop.pipeline")

    def handle(self, *_: Any, module: str, **__: Any) -> None:
        """Run it, until it ends or Ctrl-C."""
        self._check(module)
        bus = settings().bus
        os.environ.update(
            PATHWAYVIZ_WORKER="1",
            PATHWAYVIZ_WORKER_NAME=module,
            PATHWAYVIZ_PREFIX=bus.prefix,
            REDIS_URL=bus.url,
        )
        threading.Thread(target=_carry_over, daemon=True).start()
        try:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        except PathwayVizError as error:
            raise CommandError(str(error)) from error
        finally:
            catalogue.carry_over(at_most_every_s=0)

    @staticmethod
    def _check(module: str) -> None:
        try:
            found = importlib.util.find_spec(module)
        except ImportError as error:
            raise CommandError(f"There is no module {module!r}: {error}.") from error
        if found is None:
            raise CommandError(
                f"There is no module {module!r}; give its dotted name, as in 'shop.pipeline'."
            )
        if importlib.util.find_spec("pathway") is None:
            raise CommandError("Pathway is not installed: pip install 'pathway-viz[pathway]'")


def _carry_over() -> None:
    """Carry the declared dashboards over into the models, also if no web node runs yet."""
    for _ in range(10):
        time.sleep(catalogue.CARRY_OVER_EVERY_S)
        try:
            catalogue.carry_over()
        except Exception:
            logging.getLogger("pathway_viz.web").exception("Dashboards were not carried over.")
