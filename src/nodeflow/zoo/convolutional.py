"""Convolutional networks with batch normalization, as plain modules.

Shapes as published by Gupta et al. 2026 (arXiv:2601.05052): the residual networks of He et al. 2016
(arXiv:1512.03385) in their variants for small images, and a small network without shortcuts.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import max_pool2d, relu

__all__ = ["ResNet", "SmallCNN"]


class SmallCNN(nn.Module):
    """Three times convolution, normalization, ReLU and pooling; then two linear layers."""

    def __init__(
        self,
        item: Sequence[int],
        classes: int,
        widths: Sequence[int] = (16, 24, 24),
        hidden: int = 32,
    ) -> None:
        """Build the network.

        Args:
            item: channels, height and width of an image.
            classes: number of classes.
            widths: channels after each convolution; each one halves the image.
            hidden: width of the layer before the last.
        """
        super().__init__()
        channels, height, width = item
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1)
            for before, after in pairwise([channels, *widths])
        )
        self.norms = nn.ModuleList(_norm(after) for after in widths)
        places = (height >> len(widths)) * (width >> len(widths))
        self.hidden = nn.Linear(widths[-1] * places, hidden)
        self.head = nn.Linear(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, classes) of images (B, channels, height, width)."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = max_pool2d(relu(norm(convolution(x))), 2)
        logits: Tensor = self.head(relu(self.hidden(x.flatten(1))))
        return logits


class ResNet(nn.Module):
    """A residual network for small images: a 3 × 3 stem, stages of basic blocks, a linear head.

    Each stage after the first halves the image. A block whose ends differ in shape has a 1 × 1
    convolution with normalization as its shortcut.
    """

    def __init__(
        self, item: Sequence[int], classes: int, widths: Sequence[int], blocks: Sequence[int]
    ) -> None:
        """Build the network.

        Args:
            item: channels, height and width of an image.
            classes: number of classes.
            widths: channels in each stage; the stem has those of the first.
            blocks: number of basic blocks in each stage.
        """
        super().__init__()
        self.stem = nn.Conv2d(item[0], widths[0], 3, padding=1, bias=False)
        self.norm = _norm(widths[0])
        stages: list[nn.Module] = []
        before = widths[0]
        for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            for block in range(count):
                stages.append(_Basic(before, width, 2 if stage > 0 and block == 0 else 1))
                before = width
        self.blocks = nn.Sequential(*stages)
        self.head = nn.Linear(before, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, classes) of images (B, channels, height, width)."""
        features = self.blocks(relu(self.norm(self.stem(x))))
        logits: Tensor = self.head(features.mean((2, 3)))
        return logits


class _Basic(nn.Module):
    """Two 3 × 3 convolutions beside a shortcut."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        self.norm1 = _norm(after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.norm2 = _norm(after)
        self.shortcut = nn.Sequential()
        if stride > 1 or before != after:
            self.shortcut = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), _norm(after)
            )

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm2(self.conv2(relu(self.norm1(self.conv1(x)))))
        return relu(h + self.shortcut(x))


def _norm(channels: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(channels)
    # With a fixed momentum nothing reads this counter, and it is no number of a network.
    norm.num_batches_tracked = None
    return norm
