"""``twostageseg segment``: locate and segment organs, write the segmentation and what was asked for beside it."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..model import Model, load_model
from ..outputs.audit import organ_tags, result_record
from ..pipeline import Pipeline, Result, Review
from ..volume import Volume
from . import DONE, NOT_LOCATED, Outcome
from .arguments import check_organs, check_outputs, check_suffix, default_output, regions_from
from .findings import as_json, status_of, table
from .progress import ProgressLine


def run(options: Namespace) -> Outcome:
    """Everything that can be refused is refused before the networks run; files are written last and together."""
    model = load_model(options.model)
    organs = check_organs(model, options.organ)
    regions = regions_from(options.centre, options.box, organs)
    output = Path(options.output) if options.output else default_output(options.ct)
    check_suffix(output, ".seg.nrrd")
    check_outputs((output, options.json, options.report), options.ct, options.overwrite)

    volume, result = compute(options, model, lambda p, v, line: p.run(v, organs, regions, line, review=depth(options)))
    asked = {"organs": list(organs), "placed_by_hand": sorted(regions), "device_wanted": options.device}
    written = _write(options, output, volume, result, model, result_record(result, model, asked))
    lines = [volume.size_text, table(result, model), *(f"Written: {name}" for name in written)]
    return Outcome("\n".join(lines), NOT_LOCATED if result.missing else DONE)


def depth(options: Namespace) -> Review:
    """How much is done to find suspicious slices."""
    return Review.FULL if options.second_look else Review.QUICK


def compute(
    options: Namespace, model: Model, work: Callable[[Pipeline, Volume, ProgressLine], Result]
) -> tuple[Volume, Result]:
    """Read the image, set the pipeline up and do ``work`` with them while showing progress."""
    from ..io import read_volume

    progress = ProgressLine()
    try:
        progress("reading", "", 0.0)
        volume = read_volume(options.ct)
        progress("loading the model", "", 0.0)
        pipeline = Pipeline(model, options.device)
        pipeline.system.self_test()
        return volume, work(pipeline, volume, progress)
    finally:
        progress.clear()


def _write(
    options: Namespace, output: Path, volume: Volume, result: Result, model: Model, record: Mapping[str, Any]
) -> list[str]:
    """Write what was asked for, each with the audit record; returns the names as the user gave them."""
    from ..outputs.report import write_report
    from ..outputs.segnrrd import write_segmentation
    from ..outputs.together import write_together

    tags = {"TwoStageSeg.Model": f"{model.name} {model.manifest.version}", "TwoStageSeg.ModelSha256": model.sha256}
    audit = organ_tags(record, [o.organ for o in result.located])
    own_tags = {
        o.organ: {
            **audit[o.organ],
            "TwoStageSeg.Status": status_of(o),
            "TwoStageSeg.Source": o.region.source.value,
            "TwoStageSeg.Score": f"{o.region.score:.3f}",
        }
        for o in result.located
    }
    masks = [o.mask for o in result.located if o.mask is not None]
    writers: dict[Path, Callable[[Path], None]] = {}
    if masks:  # an empty segmentation would look like a finding
        writers[output] = lambda path: write_segmentation(path, masks, volume.geometry, tags, own_tags)
    if options.json:
        text = json.dumps(as_json(volume, result, model, record=record), indent=1, allow_nan=False) + "\n"
        writers[Path(options.json)] = lambda path: write_text(path, text)
    if options.report:
        writers[Path(options.report)] = lambda path: write_report(path, volume, result, model, record=record)
    write_together(writers, options.overwrite)
    if (
        not masks and options.overwrite
    ):  # what --overwrite allows to replace is of another run and must not stand beside this one's figures
        output.unlink(missing_ok=True)
    return [str(path) for path in writers]


def write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
