"""What Ctrl-C does: the first one ends the work, and nothing disturbs the way out."""

import os
import signal
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupt_once() -> None:
    """From now on the first Ctrl-C, SIGTERM or hang-up raises KeyboardInterrupt; later ones do nothing."""
    for number in _SIGNALS:
        signal.signal(number, _interrupt)


def ignore_interrupts() -> None:
    """From now on Ctrl-C, SIGTERM and a hang-up do nothing (unlike SIG_IGN, this is not passed on to commands)."""
    for number in _SIGNALS:
        signal.signal(number, _do_nothing)


def _interrupt(number: int, frame: FrameType | None) -> None:
    ignore_interrupts()
    # Not print: the interrupted code may be in the middle of one.
    os.write(2, b"\ninterrupted; cleaning up ... ")
    raise KeyboardInterrupt


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """A second Ctrl-C must not leave half of the clean-up undone."""
