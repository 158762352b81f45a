"""`augx`, and `python -m augx`."""

import os
import signal


def main() -> None:
    """The console script."""
    for number in (signal.SIGINT, signal.SIGTERM):  # until the command line can do better, nothing has begun
        signal.signal(number, lambda number, _: os._exit(128 + number))
    from augx.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
