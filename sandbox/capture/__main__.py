"""Run the capture of one sandbox: `python -m sandbox.capture FOLDER`."""

import asyncio
import sys
from pathlib import Path

from sandbox.capture.server import serve


def main() -> None:
    """Capture into the folder named on the command line until SIGTERM."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():  # noqa: PLR2004 - the program and it
        sys.exit("usage: python -m sandbox.capture FOLDER (an existing folder)")
    asyncio.run(serve(Path(sys.argv[1]).absolute()))


if __name__ == "__main__":
    main()
