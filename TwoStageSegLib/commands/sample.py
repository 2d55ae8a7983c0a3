"""``twostageseg sample``: a synthetic CT and its true organs, to try the product without a patient."""

from __future__ import annotations

import shutil
import tempfile
from argparse import Namespace
from functools import partial
from pathlib import Path

from ..errors import InputRefused
from . import Outcome
from .arguments import check_outputs

NAMES = ("sample_ct.nrrd", "sample_reference.seg.nrrd")


def run(options: Namespace) -> Outcome:
    """Write the CT and the reference, both or neither; the folder is made if it is missing."""
    folder = Path(options.folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputRefused("E_OUTPUT", f"Cannot make the folder {folder}: {error.strerror}. Choose another.") from None
    targets = [folder / name for name in NAMES]
    check_outputs(targets, None, options.overwrite)

    from ..outputs.together import write_together
    from ..sample.phantom import write_sample

    with tempfile.TemporaryDirectory(prefix="twostageseg-") as scratch:
        made = write_sample(Path(scratch), options.seed)
        writers = {target: partial(shutil.copyfile, source) for target, source in zip(targets, made, strict=True)}
        write_together(writers, options.overwrite)
    lines = [f"Written: {target}" for target in targets]
    return Outcome(
        "\n".join([*lines, f"Synthetic patient {options.seed}. Try: twostageseg segment {targets[0]} --model phantom"])
    )
