"""The web node of the script mode: ``python -m pathway_viz.standalone.node PORT``."""

from __future__ import annotations

import os
import sys


def main(port: str) -> None:
    """Bring the database up to date and serve on the loopback, until killed."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "pathway_viz.standalone.settings"
    import django
    from daphne.cli import CommandLineInterface
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    target = "pathway_viz.standalone.asgi:application"
    CommandLineInterface().run(
        ["-b", "127.0.0.1", "-p", port, "-v", "0", "--no-server-name", target]
    )


if __name__ == "__main__":
    main(sys.argv[1])
