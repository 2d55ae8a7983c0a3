"""ResNet18 without torchvision: the trunk that three networks share, and the slice classifier.

Sources: He 2015; Shi (papers/001), section 3.1: ResNet18 as slice classifier, and 3.2.1: as encoder whose last stage
has stride 1 and dilation 2. Li (papers/000): ResNet18 as the down path of CenterNet.
"""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from .blocks import Network, he_normal

WIDTHS = (64, 128, 256, 512)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut: ``(n, inputs, H, W)`` -> ``(n, width, H/stride, W/stride)``."""

    def __init__(self, inputs: int, width: int, stride: int = 1, dilation: int = 1):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, width, 3, stride, dilation, dilation, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, 1, dilation, dilation, bias=False),
            nn.BatchNorm2d(width),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != width:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.body(x) + self.shortcut(x)).relu()


class Trunk(nn.Module):
    """ResNet18 up to its four stages: a stem at 1/4, then two blocks per stage.

    Parameters
    ----------
    widths : channels of the four stages; the stem has the first.
    dilated : the last stage keeps the resolution (stride 1) and looks twice as far (dilation 2).

    Shapes: ``(n, inputs, H, W)`` -> four maps at 1/4, 1/8, 1/16 and 1/32 (``dilated``: 1/16).
    """

    def __init__(self, inputs: int = 1, widths: tuple[int, ...] = WIDTHS, dilated: bool = False):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(inputs, widths[0], 7, 2, 3, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, 1),
        )
        strides = (1, 2, 2, 1 if dilated else 2)
        dilations = (1, 1, 1, 2 if dilated else 1)
        before = (widths[0], *widths[:-1])
        self.stages = nn.ModuleList(
            nn.Sequential(BasicBlock(a, b, stride, dilation), BasicBlock(b, b, 1, dilation))
            for a, b, stride, dilation in zip(before, widths, strides, dilations, strict=True)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.stem(x)
        return [x := stage(x) for stage in self.stages]


class SliceClassifier(Network):
    """Does a slice show the target? ResNet18 (papers/001, section 3.1), 11.17 M parameters.

    Shapes: ``(n, inputs, H, W)`` -> ``(n, outputs)`` logits, class 1 is "shows it".
    """

    def __init__(self, inputs: int = 1, outputs: int = 2, widths: tuple[int, ...] = WIDTHS):
        super().__init__()
        self.multiple = 32
        self.trunk = Trunk(inputs, widths)
        self.head = nn.Linear(widths[-1], outputs)
        he_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.head(self.trunk(x)[-1].mean((2, 3))))
