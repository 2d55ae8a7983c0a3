"""How long "next flagged slice" takes in session and scene, without rendering: real nodes, three slice views.

    python -m Testing.benchmarks.review_jump [--slices 1000] [--organs 7]

Prints how long as many jumps take as there are slices, half of them with a seen mark. The longest is the machine's
own business if the processor time is short.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from Testing.harness.bundles import write_fake_bundle
from Testing.harness.fake_reviews import long_review
from Testing.harness.fake_system import fake_volume
from Testing.harness.minislicer import boot
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.model import verify
from TwoStageSegLib.review.book import Book
from TwoStageSegLib.scene import node_from_volume, put_mask
from TwoStageSegLib.session import Installed, Session, SubprocessTransport
from TwoStageSegLib.session.target import digest

PLANES = ("Axial", "Coronal", "Sagittal")


def main() -> int:
    """Print two lines."""
    options = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        session = _session(boot().scene, Path(folder), options.slices, options.organs)
        reviewing = session.reviewing
        seconds, processor = list[float](), list[float]()
        began = time.perf_counter()
        reviewing.put(session.target, session.volume_node, reviewing.book)
        print(f"table and plot of {options.slices} slices: {1000 * (time.perf_counter() - began):.1f} ms")
        while reviewing.has_next:
            began, used = time.perf_counter(), time.process_time()
            reviewing.next()
            if len(seconds) % 2:
                reviewing.mark_seen()
            seconds.append(time.perf_counter() - began)
            processor.append(time.process_time() - used)
        slow = statistics.quantiles(seconds, n=100)[98]
        text = f"median {1000 * statistics.median(seconds):.1f} ms, 99 of 100 within {1000 * slow:.1f} ms"
        text += f", longest {1000 * max(seconds):.1f} ms; processor time {1000 * max(processor):.1f} ms at most"
        print(f"{len(seconds)} jumps among {options.slices} flagged slices of {options.organs} organs: {text}")
        session.close()
    return 0


def _session(scene: Any, folder: Path, slices: int, organs: int) -> Session:
    """A session whose target has ``organs`` segments with ``slices`` flagged slices together; no worker is started."""
    session = Session(scene, SubprocessTransport())
    bundle = write_fake_bundle(folder / "fake")
    session.choose_model(Installed(bundle, verify(bundle)))
    volume = fake_volume()
    session.choose_volume(node_from_volume(scene, volume, "CT"))
    for plane in PLANES:
        scene.AddNewNodeByClass("vtkMRMLSliceNode", plane).SetOrientation(plane)
    target, book = session.target_for(session.volume_node), Book()
    for i in range(organs):
        mask = Mask(f"Organ_{i}", np.ones((3, 3, 3), bool), (2, 2, 2 + 3 * i), volume.geometry)
        put_mask(target.node, mask, session.volume_node)
        count = slices // organs + (i < slices % organs)
        book = book.with_review(long_review(mask.organ, count), digest(mask))
    session.reviewing.put(target.node, session.volume_node, book)
    return session


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=1000)
    parser.add_argument("--organs", type=int, default=7)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
