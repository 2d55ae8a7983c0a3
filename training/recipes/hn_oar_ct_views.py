"""hn-oar-ct-views: seven organs at risk in head-and-neck CT with the system ``multi-view`` (papers/003).

Three 2D SE-U-Nets see the body in axial, coronal and sagittal slices, their votes are fused with weights learned on
training cases that none of them saw, and a 3D SE-U-Net of each organ segments it in its crop; the parotids share one
by mirroring. Differences from the paper, and why:

- Views at 4 x 4 x 4 mm (1 x 1 x 1): the data have voxels of about 2.5 x 4 x 4 mm. Fine networks at 2.5 x 3 x 3 mm. A
  quarter of the likely widths, r = 8 and 4 to 12 minutes per network instead of 100 epochs: what fits on one core.
- The mean that is subtracted is that of the training set's coarse bodies: 0.093, which is -288 HU.
- ``weight_cap``: an organ's voxel counts 10 times as much as one of the background. By equation 2 it is a thousand
  times, which draws every organ far too large: the most probable class is then an organ wherever it is not impossible.
- A voxel of an organ that a case has no contour of is not background: see ``methods.multi_view.partial``.
- Seven slices in ten are drawn where a contoured organ lies: of a coronal or sagittal pass through shoulders few show
  any. Views begin with the classes' shares as biases.
- Slices and crops are turned, scaled, mirrored and put into surroundings; the paper turns and moves them.
- Fine networks begin with the parotids' weights (those shipped: after 1000 steps of them, before the parotids were
  trained again for 3200). AdamW with averaged weights and a falling rate (1e-4, all along).

Three times the steps (version 1.1.0) gave in validation, true boxes: parotids 0.783 to 0.787, brainstem 0.813 both
times, esophagus 0.660 to 0.672. Larynx and mandible had stopped rising before.
"""

from __future__ import annotations

from dataclasses import replace

from ..methods.multi_view.recipe import MultiViewRecipe
from ..sources import OPENKBP_ALONE
from .common import Budget
from .recipe import Target

SOURCE = replace(
    OPENKBP_ALONE,
    title="Head and neck CT, 7 organs at risk, found in three views",
    references=[
        "Y. Pu, S. Kamata, Y. Wang, A Coarse to Fine Framework for Multi-organ Segmentation in Head and Neck Images",
        OPENKBP_ALONE.references[1],
    ],
)

RECIPE = MultiViewRecipe(
    name="hn-oar-ct-views",
    packed=True,
    clip=(-400.0, 800.0),
    centre=-288.0,
    scale=1200.0,
    view_cases=2,
    view_slices=4,
    weight_cap=10.0,
    targets=(
        Target("Brainstem", "Brainstem", (40, 32, 32), 1.0, network="fine-brainstem"),
        Target("SpinalCord", "SpinalCord", (64, 24, 24), 1.0, True, "fine-spinalcord", click_shape=(96, 24, 24)),
        Target("Parotid_R", "Parotid_R", (32, 32, 32), 0.5, network="fine-parotid"),
        Target("Parotid_L", "Parotid_R", (32, 32, 32), 0.5, network="fine-parotid"),
        Target("Esophagus", "Esophagus", (64, 32, 24), 1.0, network="fine-esophagus"),
        Target("Larynx", "Larynx", (32, 32, 32), 1.0, network="fine-larynx"),
        Target("Bone_Mandible", "Bone_Mandible", (48, 48, 56), 1.0, network="fine-mandible", click_shape=(56, 56, 56)),
    ),
    # the network that the others begin with comes first among the fine ones
    fine_order=("fine-parotid",),
    budgets=(
        Budget("axial", 1150, decay_steps=700, every=230, lr=3e-3),
        Budget("coronal", 1200, decay_steps=720, every=240, lr=3e-3),
        Budget("sagittal", 1500, decay_steps=900, every=300, lr=3e-3),
        Budget("fusion", 200, decay_steps=100, every=50, lr=5e-2),
        Budget("fine-parotid", 3200, decay_steps=2200, every=400, lr=3e-3),
        Budget("fine-brainstem", 2200, decay_steps=1500, every=275, start="fine-parotid", lr=3e-3),
        Budget("fine-spinalcord", 800, decay_steps=500, every=160, start="fine-parotid", lr=3e-3),
        Budget("fine-esophagus", 1800, decay_steps=1200, every=225, start="fine-parotid", lr=3e-3),
        Budget("fine-larynx", 950, decay_steps=600, every=190, start="fine-parotid", lr=3e-3),
        Budget("fine-mandible", 480, decay_steps=320, every=120, start="fine-parotid", lr=3e-3),
    ),
)
