"""The page of all systems: what each claim of the papers needs to hold, on figures made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from training.__main__ import main
from training.compare.inputs import Finished
from training.evaluate import write_results
from training.overview.claims import claims


def row(organ: str, case: str, way: str, dice: float, **more: Any) -> dict[str, Any]:
    figures = {"dice": dice, "hd95": 3.0, "true_ml": 10.0, "ml": 10.0, "volume_ratio": 1.0}
    counts = {"missing_slices": 0, "wrong_slices": 0, "extra_slices": 0}
    return {"case": case, "organ": organ, "way": way, "status": "located", **figures, **counts, **more}


def system(name: str, dices: list[float], kinds: str = "", organ: str = "Esophagus", **more: Any) -> Finished:
    """One Dice per case, and in the first case a slice per letter of ``kinds``: m(issing), w(rong object), d(rawn)."""
    words = {"m": "missing", "w": "wrong object", "d": "drawn"}
    slices = [
        {"case": "c0", "organ": organ, "way": "auto", "slice": float(i), "kind": words[k]} for i, k in enumerate(kinds)
    ]
    rows = [row(organ, f"c{i}", "auto", d, **more) for i, d in enumerate(dices)]
    return Finished(name, tuple(rows), tuple(slices), {"name": name})


def verdicts(systems: list[Finished], views: Any = None) -> dict[str, tuple[str, str]]:
    return {c.text: (c.verdict, c.found) for c in claims(systems, views)}


def test_what_3d_and_2d_get_wrong() -> None:
    """Of ten slices 3D misses nine that 2D draws (exact p 0.004); 2D has one wrong object that 3D draws (p 1)."""
    chunk = system("esophagus-ct-centre-chunk", [0.5, 0.6], "mmmmmmmmmd")
    coarse = system("esophagus-ct-centre-coarse", [0.5, 0.6], "dddddddddw")
    found = verdicts([chunk, coarse])
    assert found["3D misses more slices than 2D"][0] == "holds"
    assert "0, esophagus-ct-centre-coarse 1 slices, n = 2" in found["3D draws fewer wrong objects than 2D"][1]
    assert found["3D draws fewer wrong objects than 2D"][0] == "not decided"


def test_fine_centres_must_help_poor_cases_most() -> None:
    coarse = system("esophagus-ct-centre-coarse", [0.5, 0.6, 0.8, 0.9])
    better = system("esophagus-ct-centre", [0.6, 0.69, 0.81, 0.9])
    verdict, text = verdicts([coarse, better])["fine centres help, poor cases most"]
    assert text.startswith("+0.095 in 2 cases below 0.75, +0.005 in the other 2") and verdict == "not decided"
    other = system("esophagus-ct-centre", [0.5, 0.6, 0.9, 0.99])  # helps, but not those
    assert verdicts([coarse, other])["fine centres help, poor cases most"][0] == "does not hold"


def test_the_filter() -> None:
    names = ("gtv-ct-filter-off", "gtv-ct-filter")
    alone = system(names[0], [0.50, 0.52, 0.55, 0.53], organ="GTV", extra_slices=6)
    filtered = system(names[1], [0.60, 0.61, 0.64, 0.63], organ="GTV", extra_slices=1)
    text = "the slice filter raises Dice by cutting false-positive slices"
    assert verdicts([alone, filtered])[text][0] == "holds"
    assert "6.0 to 1.0 per case" in verdicts([alone, filtered])[text][1]
    swapped = [Finished(n, s.rows, (), {"name": n}) for n, s in zip(names, (filtered, alone), strict=True)]
    assert verdicts(swapped)[text][0] == "does not hold"


def test_small_organs_must_gain_most() -> None:
    sizes = {"A": 5.0, "B": 10.0, "C": 20.0, "D": 40.0, "E": 80.0}
    one = Finished("one stage", tuple(row(o, "c", "auto", 0.4, true_ml=ml) for o, ml in sizes.items()))
    gains = [0.5, 0.4, 0.3, 0.2, 0.1]
    rows = [row(o, "c", "auto", 0.4 + g, true_ml=ml) for (o, ml), g in zip(sizes.items(), gains, strict=True)]
    verdict, text = verdicts([one, Finished("two stages", tuple(rows))])["two stages beat one, most for small organs"]
    assert verdict == "holds" and "A (5 ml) +0.500" in text and "-1.00, 5 organs" in text


def test_fusion_against_the_best_view_of_each_organ() -> None:
    """A is best in the axial view (0.6), B in the coronal one (0.5); the fusion has 0.55 and 0.62 in both cases."""
    views = {"axial": {"A": 0.6, "B": 0.1}, "coronal": {"A": 0.5, "B": 0.5}, "sagittal": {"A": 0.1, "B": 0.1},
             "learned": {"A": 0.55, "B": 0.62}}  # fmt: skip
    rows = [{"case": c, "organ": o, **{w: v[o] for w, v in views.items()}} for c in ("x", "y") for o in ("A", "B")]
    verdict, text = verdicts([], {"rows": rows})["fusion beats the best single view"]
    assert "A 0.600 (axial) to 0.550, B 0.500 (coronal) to 0.620" in text
    assert "0.550 to 0.585, n = 2" in text and verdict == "holds"  # the same gain in both cases: p = 0
    worse = [{**row, "learned": 0.2} for row in rows]
    assert verdicts([], {"rows": worse})["fusion beats the best single view"][0] == "does not hold"


@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        ("hn-oar-ct-focus-v1", "the adversarial shape loss helps small organs"),
        ("hn-oar-ct-focus-plain", "an adversarial autoencoder helps small organs more than a plain one"),
        ("hn-oar-ct-focus-raw", "S-Net's features beside the image help small organs"),
    ],
)
def test_table_6_is_asked_of_organs_with_a_network_of_their_own(left_out: str, words: str) -> None:
    names, roles = (left_out, "hn-oar-ct-focus"), {"Larynx": "small-larynx", "Brainstem": "segment"}
    one, two = (
        Finished(n, tuple(row(o, c, "auto", d) for o in roles for c in "xyz"), (), {"name": n, "organ_networks": roles})
        for n, d in zip(names, (0.5, 0.6), strict=True)
    )
    (claim,) = claims([one, two])
    assert claim.found.startswith("Larynx: Dice 0.500 to 0.600, n = 3") and claim.verdict == "holds"
    assert (claim.paper, claim.text) == ("004", words)


def test_the_page_takes_systems_without_a_common_organ(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for name, organ in (("a", "Larynx"), ("b", "GTV")):
        rows = [{**row(organ, "c", way, 0.5), "slices": ()} for way in ("auto", "box", "click")]
        about = {"name": name, "system": "slice-filter", "parameters": 2_500_000, "training": "locate 5 steps"}
        write_results(tmp_path / name, rows, {}, about)
    folders = [str(tmp_path / "a"), f"other={tmp_path / 'b'}"]
    assert main(["overview", *folders, "--to", str(tmp_path / "page.md"), "--budget", "other=an hour"]) == 0
    text = (tmp_path / "page.md").read_text()
    assert "| Larynx | a | 1 | 0.500 | 0.500 | 0.500 | 3.0 | 1.00 | 0.0 | 0.0 | 0.0 | 1/1 |" in text
    assert "| other | slice-filter | 2.50 M | - | - | an hour |" in text and "| GTV | other |" in text
