"""Processes that end with the one that started them, whatever kills it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_POLL_S: Final = 0.5


def tied_to_parent(command: Sequence[str]) -> list[str]:
    """``command``, wrapped so that it is killed as soon as its parent is gone.

    On Linux the kernel does it (PR_SET_PDEATHSIG) and the wrapper becomes the command; note that
    the signal comes when the *thread* that started it ends. Elsewhere a small process watches.
    """
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def _main(parent: int, command: Sequence[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            sys.exit(1)
        os.execv(command[0], list(command))  # noqa: S606 - its arguments are ours
    _watch(parent, subprocess.Popen(command))


def _watch(parent: int, child: subprocess.Popen[bytes]) -> None:
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while os.getppid() == parent:
        try:
            sys.exit(child.wait(_POLL_S))
        except subprocess.TimeoutExpired:
            continue
    child.kill()


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2:])
