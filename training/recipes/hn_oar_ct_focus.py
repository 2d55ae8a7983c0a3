"""hn-oar-ct-focus: seven organs at risk in head-and-neck CT with the system ``focus`` (FocusNetv2, papers/004).

S-Net segments all seven; the compact ones are looked at a second time: larynx and parotids, located by SOL-Net and
segmented by an SOS-Net each under the adversarial shape constraint. Differences from the paper, and why:

- Grid of 3 x 3 x 3 mm (1 x 1 x 3): the data have pixels of 3.5 to 5 mm. Field of 252 mm (240): chins reach 122 mm.
- Chunks of 32 slices (40) and half the widths: what fits into 40 minutes on one core. Larynx and parotids reach over
  123 mm, so a chunk holds one of them whole, or both parotids, where the paper's holds all small organs.
- Regions of 72 mm (24 x 64 x 64 mm): 95 % of the parotids are up to 69 mm high.
- AdamW with averaged weights (Adam 5e-4), samples are also mirrored, and the weights of the focal loss are flatter than
  the inverse of the sizes, which leaves a background of one in a thousand: our chunks also lie where organs are not.
  S-Net's lambda is the published code's 0.2, the SOS-Nets' the printed 1.
- In the joint phase the batch statistics stay.
- The shape distances are parts of the codes' own size (``adversary``). With the printed ones the autoencoder won: their
  sum went from 9 after 300 steps to 8800 and 500 000 after 600 and 900, and the larynx was lost.

``ALONE`` is FocusNetv1, Table 6's row without autoencoder, and ``PLAIN`` its "origin AE", ``RAW`` its "no concat". They
may share a run's ``main`` and ``heat`` (and ``shapes``): copy those folders into theirs, finished
(``train`` goes on with what is not).
"""

from __future__ import annotations

from dataclasses import replace

from ..augment import PoseRange
from ..methods.focus.recipe import FocusRecipe
from ..sources import OPENKBP_ALONE
from .common import Budget

SOURCE = replace(
    OPENKBP_ALONE,
    title="Head and neck CT, 7 organs at risk, small ones up close",
    references=["doi:10.1016/j.media.2020.101831 (Gao et al., FocusNetv2)", OPENKBP_ALONE.references[1]],
)

RECIPE = FocusRecipe(
    name="hn-oar-ct-focus",
    packed=True,
    class_weights=(1.0, 1.0, 2.0, 1.0, 1.0, 2.0, 1.0, 1.0),
    balance=0.2,
    ema=0.99,
    poses=PoseRange(rotation_deg=5.0, scale=(0.87, 1.15), stretch=0.05, shift_mm=10.0),
    budgets=(
        Budget("main", 1350, decay_steps=700, every=270, lr=1e-3),
        Budget("heat", 450, decay_steps=250, every=150, lr=2e-3),
        Budget("shapes", 1500, decay_steps=700, every=500, lr=1e-3),
        Budget("small", 900, decay_steps=500, every=300, lr=1e-3),
        Budget("together", 170, decay_steps=150, every=85, lr=5e-5),
    ),
)

ALONE = replace(
    RECIPE,
    name="hn-oar-ct-focus-v1",
    shapes="none",
    budgets=tuple(b for b in RECIPE.budgets if b.network != "shapes"),
)
PLAIN = replace(RECIPE, name="hn-oar-ct-focus-plain", shapes="plain")
RAW = replace(RECIPE, name="hn-oar-ct-focus-raw", concat=False)
