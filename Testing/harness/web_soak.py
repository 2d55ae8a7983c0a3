"""Opens and closes windows of ``twostageseg web`` in a row and says what is left of them.

    python -m Testing.harness.web_soak [COUNT] [CT]

Each window loads the CT (the synthetic sample unless one is named), locates and segments, and is closed. Printed after
each: seconds until the first picture, living processes below the server, its memory, folders it has left.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from . import browser as harness


def main(count: int = 20, ct: str = "") -> int:
    """Returns 1 if a process or a folder is left."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        if not ct:
            from TwoStageSegLib.sample.phantom import write_sample

            ct = str(write_sample(folder, 0)[0])
        left = 0
        with harness.browsing() as browser, harness.serving(folder, ct, "--keep", "1", "--model", "phantom") as served:
            address, server = served
            for number in range(count):
                started = time.monotonic()
                person = harness.Person(browser, address)
                person.has_scan()
                person.settle(200)
                first_s = time.monotonic() - started
                person.run()
                outcome = person.page.inner_text("#outcome")
                processes = len(harness.descendants(server.pid))
                person.close()
                ended = time.monotonic()
                while (left := remains(server.pid, folder)) and time.monotonic() < ended + 30:
                    time.sleep(0.1)
                print(
                    f"{number + 1:3d}  first picture {first_s:5.1f} s  {outcome}  {processes} processes; after "
                    f"{time.monotonic() - ended:.1f} s {left} processes and folders left; server "
                    f"{memory_mb(server.pid):.1f} MB",
                    flush=True,
                )
        return int(left > 0)


def remains(pid: int, folder: Path) -> int:
    """Processes below the server, and folders in its place for temporary files."""
    return len(harness.descendants(pid)) + len(list((folder / "tmp").iterdir()))


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    fields = (line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return next(float(f[1]) / 1024 for f in fields if f[0] == "VmRSS:")


if __name__ == "__main__":
    sys.exit(main(*([int(sys.argv[1])] if len(sys.argv) > 1 else []), *sys.argv[2:3]))
