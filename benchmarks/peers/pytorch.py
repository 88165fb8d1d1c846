"""The same training steps in PyTorch, for `benchmarks.throughput --peer`.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch numpy
    /tmp/torch/bin/python benchmarks/peers/pytorch.py --model mlp_1x512 --loop resident --seconds 10

Prints a line of JSON. It stands alone: only PyTorch is needed. Images are noise, on which speed does not depend.

--loop resident   the whole set is one tensor and a batch is an index into it; convolutions in channels_last
--loop loader     single uint8 images, made floats and normalized one by one in a DataLoader worker, as the companion
                  demonstration code does
"""

from __future__ import annotations

import argparse
import itertools
import json
import time

import torch
from torch import nn

BATCH_SIZE = 128
EXAMPLES = 20_000
WARM_UP = 5  # steps


def convolution(channels: int, filters: int, size: int, stride: int = 1, norm: bool = True) -> nn.Module:
    """Returns a convolution, batch normalization if requested, and ReLU."""
    layers = [nn.Conv2d(channels, filters, size, stride, size // 2, bias=not norm)]
    return nn.Sequential(*layers, *([nn.BatchNorm2d(filters)] if norm else []), nn.ReLU(inplace=True))


class Branches(nn.Module):
    """Two branches whose channels are put together."""

    def __init__(self, *branches: nn.Module):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns the output, `[batch, channels, height, width]`."""
        return torch.cat([branch(x) for branch in self.branches], dim=1)


def small_inception(norm: bool = True) -> nn.Module:
    """Returns the network of the paper's figure 3.

    A pair of filters is an inception module, a single number a downsample module.
    """
    body, channels = [convolution(3, 96, 3, norm=norm)], 96
    for module in (
        (32, 32), (32, 48), 80, (112, 48), (96, 64), (80, 80), (48, 96), 96, (176, 160), (176, 160)
    ):  # fmt: skip
        if isinstance(module, tuple):
            one, three = module
            body.append(
                Branches(convolution(channels, one, 1, norm=norm), convolution(channels, three, 3, norm=norm))
            )
            channels = one + three
        else:
            body.append(
                Branches(convolution(channels, module, 3, 2, norm), nn.MaxPool2d(3, stride=2, padding=1))
            )
            channels += module
    return nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


def small_alexnet() -> nn.Module:
    """Returns two convolutions with pooling and local response normalization, and two hidden layers."""
    body, channels = [], 3
    for _ in range(2):
        body += [nn.Conv2d(channels, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1)]
        body.append(nn.LocalResponseNorm(9, alpha=1e-3, beta=0.75, k=1.0))
        channels = 64
    head = [nn.Linear(7 * 7 * 64, 384), nn.ReLU(), nn.Linear(384, 192), nn.ReLU(), nn.Linear(192, 10)]
    return nn.Sequential(*body, nn.Flatten(), *head)


def mlp(*widths: int) -> nn.Module:
    """Returns a perceptron on 28 x 28 images."""
    sizes = (28 * 28 * 3, *widths)
    hidden = [part for a, b in itertools.pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(sizes[-1], 10))


class ResidualBlock(nn.Module):
    """Pre-activation block of a Wide ResNet."""

    def __init__(self, channels: int, filters: int, stride: int):
        super().__init__()
        self.before = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())
        self.body = nn.Sequential(
            nn.Conv2d(channels, filters, 3, stride, 1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(),
            nn.Conv2d(filters, filters, 3, padding=1, bias=False),
        )
        self.shortcut = None
        if channels != filters:
            self.shortcut = nn.Conv2d(channels, filters, 1, stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns the output, `[batch, channels, height, width]`."""
        active = self.before(x)
        return self.body(active) + (x if self.shortcut is None else self.shortcut(active))


def wide_resnet_28_1() -> nn.Module:
    """Returns Wide ResNet 28-1."""
    body, channels = [nn.Conv2d(3, 16, 3, padding=1, bias=False)], 16
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        for number in range(4):
            body.append(ResidualBlock(channels, filters, 1 if number else stride))
            channels = filters
    return nn.Sequential(
        *body, nn.BatchNorm2d(64), nn.ReLU(), nn.AvgPool2d(8), nn.Flatten(), nn.Linear(64, 10)
    )


NETWORKS = {
    "mlp_1x512": lambda: mlp(512),
    "mlp_3x512": lambda: mlp(512, 512, 512),
    "small_alexnet": small_alexnet,
    "small_inception": small_inception,
    "small_inception_no_bn": lambda: small_inception(norm=False),
    "wide_resnet_28_1": wide_resnet_28_1,
}


class SingleImages(torch.utils.data.Dataset):
    """uint8 images, normalized channel by channel when they are asked for."""

    def __init__(self, side: int):
        self._images = torch.randint(0, 256, (EXAMPLES, side, side, 3), dtype=torch.uint8)
        self._labels = torch.randint(0, 10, (EXAMPLES,))
        self._mean = torch.tensor([125.3, 123.0, 113.9]).view(3, 1, 1) / 255
        self._std = torch.tensor([63.0, 62.1, 66.7]).view(3, 1, 1) / 255

    def __len__(self) -> int:
        return EXAMPLES

    def __getitem__(self, index: int):
        scaled = self._images[index].permute(2, 0, 1).float() / 255
        return (scaled - self._mean) / self._std, self._labels[index]


def loader(side: int):
    """Batches for ever, from a DataLoader."""
    data = torch.utils.data.DataLoader(
        SingleImages(side), BATCH_SIZE, shuffle=True, num_workers=1, drop_last=True
    )
    while True:
        yield from data


def resident(side: int, channels_last: bool):
    """Batches for ever, gathered from tensors."""
    images, labels = torch.randn(EXAMPLES, 3, side, side), torch.randint(0, 10, (EXAMPLES,))
    if channels_last:
        images = images.contiguous(memory_format=torch.channels_last)
    while True:
        for rows in torch.randperm(EXAMPLES).split(BATCH_SIZE)[:-1]:
            yield images[rows], labels[rows]


def main() -> None:
    """Trains for so many seconds and prints the images a second."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", choices=NETWORKS, required=True)
    parser.add_argument("--loop", choices=("resident", "loader"), default="resident")
    parser.add_argument("--seconds", type=float, default=10)
    given = parser.parse_args()
    side = 32 if given.model.startswith("wide") else 28
    convolutional = not given.model.startswith("mlp")
    network = NETWORKS[given.model]()
    if convolutional:
        network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    batches = resident(side, convolutional) if given.loop == "resident" else loader(side)
    begin = 0.0
    for step, (images, labels) in enumerate(batches):
        if step == WARM_UP:
            begin = time.perf_counter()
        elif step > WARM_UP and time.perf_counter() - begin >= given.seconds:
            break
        loss = nn.functional.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    speed = BATCH_SIZE * (step - WARM_UP) / (time.perf_counter() - begin)
    result = {
        "system": f"PyTorch {torch.__version__}",
        "model": given.model,
        "loop": given.loop,
        "threads": torch.get_num_threads(),
        "parameters": sum(p.numel() for p in network.parameters()),
        "images_per_second": round(speed, 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
