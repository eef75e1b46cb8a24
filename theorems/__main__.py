"""`theorems` and `python -m theorems`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; a signal ends it in one line from the first import on."""
    try:
        _run()
    except KeyboardInterrupt as signalled:  # before a command began, or after it ended
        from theorems.streams import INTERRUPTED, stop_code, tell

        tell("theorems: interrupted")
        sys.exit(stop_code(signalled) or INTERRUPTED)


def _run() -> None:
    from theorems.streams import listen, occupy, printable, tell

    occupy()
    listen()
    from theorems.neighbours import IntruderFound, require_our_own

    if sys.stdout is None:
        tell("theorems: stdout must be open, got a closed one")
        sys.exit(2)
    try:
        require_our_own(__file__)
    except IntruderFound as intruder:
        tell(f"theorems: {printable(str(intruder))}")
        sys.exit(2)
    from theorems.checking.source import code_digest

    code_digest()  # before the rooms are imported: evidence is kept under the source that makes it
    from theorems.command_line import app

    app()


if __name__ == "__main__":
    main()
