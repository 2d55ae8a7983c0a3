"""The architectures that a bundle may name."""

from __future__ import annotations

from .blocks import Network
from .centernet import CenterNet
from .resnet import SliceClassifier
from .sanet import SANet
from .seunet import SEUNet
from .small_organs import SOLNet, SOSNet
from .snet import SNet
from .unet import UNet

ARCHITECTURES: dict[str, type[Network]] = {
    "unet": UNet,
    "seunet": SEUNet,
    "centernet": CenterNet,
    "slice-classifier": SliceClassifier,
    "sanet": SANet,
    "s-net": SNet,
    "sol-net": SOLNet,
    "sos-net": SOSNet,
}
