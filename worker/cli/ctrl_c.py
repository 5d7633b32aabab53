"""What Ctrl-C does: it ends the process at once and without a word, except while a command runs."""

import signal


def ends_the_process() -> None:
    """Let Ctrl-C end the process as the system does, with no traceback: nothing has begun yet, or all is over.

    Where it is ignored, as in a script's background, it stays so.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def interrupts_the_command() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again, so that the command can say what was done and what was not."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
