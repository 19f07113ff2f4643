"""Transformer encoders with normalization before each part, as plain modules.

Shapes as published by Gupta et al. 2026 (arXiv:2601.05052): a small vision transformer (Dosovitskiy
et al. 2021, arXiv:2010.11929) and a text encoder of the size of BERT (Devlin et al. 2019,
arXiv:1810.04805). Both are trained here without dropout, so a network is a function of its seed.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, softmax

__all__ = ["TextEncoder", "VisionTransformer"]


class VisionTransformer(nn.Module):
    """Patches and a class token through encoder layers; a linear head reads the class token."""

    def __init__(
        self,
        item: Sequence[int],
        classes: int,
        patch: int,
        width: int,
        depth: int,
        heads: int,
        hidden: int,
    ) -> None:
        """Build the network.

        Args:
            item: channels, height and width of an image.
            classes: number of classes.
            patch: side of a square patch; it divides height and width.
            width: numbers of a token, d.
            depth: number of encoder layers.
            heads: of attention in each layer; it divides d.
            hidden: width of the layer's perceptron.
        """
        super().__init__()
        channels, height, breadth = item
        self.patches = nn.Conv2d(channels, width, patch, patch)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(
            torch.zeros(1, 1 + (height // patch) * (breadth // patch), width)
        )
        self.layers = nn.Sequential(*(_Layer(width, heads, hidden) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, classes) of images (B, channels, height, width)."""
        patches = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(patches), -1, -1), patches], 1)
        logits: Tensor = self.head(self.norm(self.layers(tokens + self.positions))[:, 0])
        return logits


class TextEncoder(nn.Module):
    """Embedded tokens through encoder layers; a linear head reads the first token."""

    def __init__(
        self,
        item: Sequence[int],
        classes: int,
        vocabulary: int,
        width: int,
        depth: int,
        heads: int,
        hidden: int,
    ) -> None:
        """Build the network.

        Args:
            item: number of tokens of a text, as a sequence of length 1.
            classes: number of outputs; 1 for a score.
            vocabulary: number of different tokens.
            width: numbers of a token, d.
            depth: number of encoder layers.
            heads: of attention in each layer; it divides d.
            hidden: width of the layer's perceptron.
        """
        super().__init__()
        self.words = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.zeros(1, item[0], width))
        self.layers = nn.Sequential(*(_Layer(width, heads, hidden) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs (B, classes) of texts (B, tokens), numbers of tokens as integers."""
        encoded = self.layers(self.words(x) + self.positions)
        outputs: Tensor = self.head(self.norm(encoded)[:, 0])
        return outputs


class _Layer(nn.Module):
    """Attention and a perceptron, each added to what it reads through a normalization."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = _Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        down: Tensor = self.down(gelu(self.up(self.norm2(x))))
        return x + down


class _Attention(nn.Module):
    """Self-attention; head h of a query, key or value is its h-th run of width / heads rows."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            layer(x).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        # Written out, because torch has no rule for a stack of its fused attention.
        weights = softmax(query @ key.transpose(2, 3) * query.shape[3] ** -0.5, 3)
        read = weights @ value
        mixed: Tensor = self.out(read.transpose(1, 2).flatten(2))
        return mixed
