"""``twostageseg locate``: where the organs are, without segmenting them."""

from __future__ import annotations

import json
import time
from argparse import Namespace
from pathlib import Path

from ..model import load_model
from ..pipeline import OrganResult, Pipeline, Result
from ..volume import Volume
from . import DONE, NOT_LOCATED, Outcome
from .arguments import check_organs, check_outputs
from .findings import as_json, table
from .progress import ProgressLine
from .segment import compute, write_text


def run(options: Namespace) -> Outcome:
    """Locate the organs asked for, write the JSON, show the table."""
    model = load_model(options.model)
    organs = check_organs(model, options.organ)
    check_outputs((options.json,), options.ct, options.overwrite)

    def locate(pipeline: Pipeline, volume: Volume, progress: ProgressLine) -> Result:
        progress("locate", "", 0.0)
        started = time.perf_counter()
        found = pipeline.locate(volume, organs)
        seconds = {"locate": time.perf_counter() - started}
        results = tuple(OrganResult(name, region, None) for name, region in found.items())
        return Result(results, pipeline.device.text, seconds, (*volume.notices, *pipeline.device.notices))

    from ..outputs.together import write_together

    volume, result = compute(options, model, locate)
    text = json.dumps(as_json(volume, result, model, segmented=False), indent=1, allow_nan=False) + "\n"
    write_together({Path(options.json): lambda path: write_text(path, text)}, options.overwrite)
    complete = all(organ.region.usable for organ in result.organs)
    lines = [volume.size_text, table(result, model, segmented=False), f"Written: {options.json}"]
    return Outcome("\n".join(lines), DONE if complete else NOT_LOCATED)
