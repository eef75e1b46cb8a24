"""`theorems` and `python -m theorems`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; the neighbours are checked first, in one line."""
    from theorems.neighbours import IntruderFound, require_our_own

    try:
        require_our_own()
    except IntruderFound as intruder:
        sys.stderr.write(f"theorems: {intruder}\n")
        sys.exit(2)
    from theorems.checking.source import code_digest

    code_digest()  # before the rooms are imported: evidence is kept under the source that makes it
    from theorems.command_line import app

    app()


if __name__ == "__main__":
    main()
