"""``twostageseg review``: which slices of a segmentation need a look, with and without a reference."""

from __future__ import annotations

import json
import time
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputRefused, TwoStageSegError, UsageError
from ..mask import Mask
from ..model import Model, load_model
from ..volume import Volume
from . import Outcome
from .arguments import check_outputs, check_suffix
from .progress import ProgressLine
from .segment import depth, write_text

if TYPE_CHECKING:
    from ..outputs.review_report import Reviewed
    from ..outputs.segread import Segment


_ELSE = "Name another with --model, or give --reference."


def run(options: Namespace) -> Outcome:
    """Everything that can be refused is refused before the networks run; files are written last and together."""
    for output, suffix in ((options.json, ".json"), (options.csv, ".csv"), (options.report, ".html")):
        if output:
            check_suffix(output, suffix)
    for given in filter(None, (options.segmentation, options.image, options.reference)):
        check_outputs((options.json, options.csv, options.report), given, options.overwrite)
    progress = ProgressLine()
    started = time.perf_counter()
    try:
        progress("reading", "", 0.0)
        volume, segments, reference = _read(options)
        model = _model(options, segments)
        if reference is None:
            organs, device, notices = _suspected(options, volume, segments, model, progress)
        else:
            organs, device, notices = *_compared(segments, reference, model, progress), ()
            notices = _unpaired(segments, reference, organs)
    finally:
        progress.clear()
    record = _record(options, model, device, organs, time.perf_counter() - started)
    return _write(options, volume, model, organs, record, (*volume.notices, *notices))


def _read(options: Namespace) -> tuple[Volume, dict[str, Segment], dict[str, Segment] | None]:
    from ..io import read_volume

    volume = read_volume(options.image)
    segments = _by_organ(options.segmentation, volume)
    reference = None if options.reference is None else _by_organ(options.reference, volume)
    if reference is not None and not set(segments) & set(reference):
        raise InputRefused(
            "E_PAIR",
            f"No segment of one is in the other by name or code. {options.segmentation} has "
            f"{', '.join(segments)}; {options.reference} has {', '.join(reference)}. Rename them to TG-263 names.",
        )
    return volume, segments, reference


def _by_organ(path: str, volume: Volume) -> dict[str, Segment]:
    """The segments of a file by TG-263 name. Raises InputRefused if it has none, or two that are one organ."""
    from ..outputs.segread import read_segments
    from ..review.pairing import organ_name

    found: dict[str, Segment] = {}
    for segment in read_segments(path, volume.geometry):
        organ = organ_name(segment.mask.organ, segment.tags.get("TerminologyEntry", ""))
        if organ in found:
            raise InputRefused("E_TWICE", f"{path} has two segments that are {organ}. Remove or rename one of them.")
        found[organ] = replace(segment, mask=replace(segment.mask, organ=organ))
    if not found:
        raise InputRefused("E_SEG", f"{path} has no segment. Choose a segmentation (.seg.nrrd) or a label image.")
    return found


def _model(options: Namespace, segments: Mapping[str, Segment]) -> Model | None:
    """The model named, else the one that made the contours; without either, only a reference can say anything."""
    if options.model:
        return load_model(options.model)
    made_by = next((n for s in segments.values() if (n := s.tags.get("TwoStageSeg.Model", "").split(" ")[0])), "")
    try:
        if made_by:
            return load_model(made_by)
    except TwoStageSegError:
        if options.reference is None:
            raise
    if options.reference is None:
        raise UsageError(
            "E_MODEL",
            f"{options.segmentation} does not say which model made it. Name one with --model, or give --reference.",
        )
    return None


def _suspected(
    options: Namespace, volume: Volume, segments: Mapping[str, Segment], model: Model | None, progress: ProgressLine
) -> tuple[list[Reviewed], str, tuple[str, ...]]:
    """What the model suspects of every organ that it knows."""
    from ..outputs.review_report import Reviewed
    from ..pipeline import Pipeline

    assert model is not None, "no model, no suspicion"
    known = [organ for organ in segments if organ in model.manifest.organ_names]
    if not known:
        raise InputRefused("E_REVIEW", f"The model {model.name} has none of these organs. {_ELSE}")
    progress("loading the model", "", 0.0)
    pipeline = Pipeline(model, options.device)
    pipeline.system.self_test()
    organs = []
    for i, organ in enumerate(known):
        progress("review", organ, i / len(known))
        mask = segments[organ].mask
        organs.append(Reviewed(organ, _nonempty(mask), pipeline.review(volume, mask, depth=depth(options))))
    if all(o.review is None for o in organs):
        raise InputRefused("E_REVIEW", f"The model {model.name} has nothing to judge these organs by. {_ELSE}")
    others = [organ for organ in segments if organ not in known]
    notices = [f"Not an organ of {model.name}: {', '.join(others)}."] if others else []
    if any(s.tags.get("TwoStageSeg.ModelSha256", model.sha256) != model.sha256 for s in segments.values()):
        notices.append(f"The contours were made by another version of {model.name}, or by another model.")
    return organs, pipeline.device.text, (*notices, *pipeline.device.notices)


def _compared(
    segments: Mapping[str, Segment], reference: Mapping[str, Segment], model: Model | None, progress: ProgressLine
) -> tuple[list[Reviewed], str]:
    """Every organ of both; and organs that the model was to find and did not."""
    from ..metrics import compare
    from ..outputs.review_report import Reviewed
    from ..review.reference import compare_with_reference

    sought = () if model is None else model.manifest.organ_names
    names = [organ for organ in reference if organ in segments or organ in sought]
    organs = []
    for i, organ in enumerate(names):
        progress("compare", organ, i / len(names))
        mask = _nonempty(segments[organ].mask) if organ in segments else None
        true = reference[organ].mask
        organs.append(Reviewed(organ, mask, compare_with_reference(mask, true), true, compare(mask, true)))
    return organs, ""


def _unpaired(
    segments: Mapping[str, Segment], reference: Mapping[str, Segment], organs: Sequence[Reviewed]
) -> tuple[str, ...]:
    done = {o.organ for o in organs}
    texts = (
        ("Not in the reference", [o for o in segments if o not in reference]),
        ("Only in the reference", [o for o in reference if o not in done]),
    )
    return tuple(f"{what}: {', '.join(names)}." for what, names in texts if names)


def _record(
    options: Namespace, model: Model | None, device: str, organs: Sequence[Reviewed], seconds: float
) -> dict[str, Any]:
    from ..outputs.audit import audit_record, organ_record

    asked = {"with_reference": options.reference is not None, "device_wanted": options.device}
    records = {o.organ: organ_record(None, o.review) for o in organs}
    return audit_record(model, device, asked, {"total": seconds}, records)


def _write(
    options: Namespace,
    volume: Volume,
    model: Model | None,
    organs: Sequence[Reviewed],
    record: Mapping[str, Any],
    notices: Sequence[str],
) -> Outcome:
    from ..outputs.review_data import review_csv
    from ..outputs.review_report import write_review_report
    from ..outputs.together import write_together
    from .review_text import as_json, table

    writers: dict[Path, Callable[[Path], None]] = {}
    if options.json:
        content = json.dumps(as_json(volume, organs, record, notices), indent=1, allow_nan=False) + "\n"
        writers[Path(options.json)] = lambda path: write_text(path, content)
    if options.csv:
        rows = review_csv([o.review for o in organs if o.review is not None], record)
        writers[Path(options.csv)] = lambda path: write_text(path, rows)
    if options.report:
        writers[Path(options.report)] = lambda path: write_review_report(path, volume, organs, model, record, notices)
    write_together(writers, options.overwrite)
    lines = [volume.size_text, table(organs, notices, model), *(f"Written: {path}" for path in writers)]
    return Outcome("\n".join(lines))


def _nonempty(mask: Mask) -> Mask | None:
    return None if mask.empty else mask
