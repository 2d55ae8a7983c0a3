"""MODEL_CARD.md of a bundle, written from its manifest so that the two never disagree."""

from __future__ import annotations

from TwoStageSegLib import RESEARCH_NOTICE
from TwoStageSegLib.manifest import Manifest

from .methods import method


def card_text(m: Manifest) -> str:
    """The model card: use, data and licence, method, figures, limits."""
    lines = [
        f"# {m.title}",
        "",
        f"`{m.name}` {m.version}, system `{m.system}`, made {m.created} with TwoStageSeg {m.code_version}. "
        f"{RESEARCH_NOTICE}",
        "",
        "## Intended use",
        "",
        m.intended_use,
        "",
        "Not for: " + "; ".join(m.not_for) + ".",
        "",
        "## Licence and data",
        "",
        f"Weights: {m.licence.weights}.",
        "",
        *(f"- {line}" for line in (*m.licence.training_data, *m.licence.attribution)),
        "",
        "## Method",
        "",
        method(m.system).summary(),
        "",
        "| network | grid (z, y, x) mm | widths | outputs |",
        "|---|---|---|---|",
    ]
    for role, n in m.networks.items():
        grid = " x ".join(f"{s:g}" for s in n.spacing_mm)
        widths = "-".join(str(w) for w in n.arguments.get("widths", [n.arguments.get("width", "as printed")]))
        lines.append(f"| {role} | {grid} | {widths} | {', '.join(n.outputs)} |")
    if m.input.percentiles is not None:
        low, high = m.input.percentiles
        lines += ["", f"Every volume's values are told in its own range: percentile {low:g} is 0, {high:g} is 1000."]
    if training := m.evaluation.get("training"):
        lines += ["", f"Training: {training}"]
    lines += ["", "## Measured", "", *_figures(m), "", "References: " + "; ".join(m.references), ""]
    return "\n".join(lines)


def _figures(m: Manifest) -> list[str]:
    rows = m.evaluation.get("organs")
    if not rows:
        return ["Not evaluated yet: run `python -m training evaluate`."]
    lines = [
        f"{m.evaluation['cases']}. Dice at the scan's own voxels; HD95 is the {m.evaluation['hd95_definition']}.",
        "",
        "| organ | n | Dice auto | Dice true box | Dice click (5 mm off) | HD95 auto mm | held by the box |",
        "|---|---|---|---|---|---|---|",
    ]
    for organ, r in rows.items():
        lines.append(
            f"| {organ} | {r['n']} | {r['auto']['dice']:.3f} | {r['box']['dice']:.3f} | {r['click']['dice']:.3f} "
            f"| {r['auto']['hd95']:.1f} | {r['held_99']} |"
        )
    return lines
