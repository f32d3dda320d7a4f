"""The benchmark's network in PyTorch, one training step at a time.

    echo 1 5 | python pytorch_baseline.py --layout channels_last

`cargo xtask bench train` drives it: every line with two numbers on the standard input, threads and steps, is answered
with the milliseconds of these steps; the end of the input is answered with the peak memory in MiB. With --product it
measures matrix products instead, and answers with GFLOP/s.

The network is that of trainer/benches/train.rs: a 3x3 stem, pre-activated bottlenecks whose 3x3 convolution is a shift
of each channel by a displacement of its own, activations clipped to [0, 1]. A shift is a depthwise convolution, which is
PyTorch's fastest form of it. Its 3x3 kernel is made of the displacement, so that the displacement learns (`--shift
learnable`), or holds one weight of 1 and does not learn (`--shift fixed`), which spares PyTorch the gradient of the
kernels.
"""

import argparse
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

BATCH, SIDE, CLASSES = 128, 32, 10
STEM = 32
GROUPS = [(32, 2, 1), (64, 2, 2), (128, 2, 2)]
EXPANSION = 4


class Shift(nn.Module):
    """Bilinear reading at a displacement below one pixel, zero outside the picture."""

    def __init__(self, channels, stride, learnable):
        super().__init__()
        self.channels, self.stride, self.learnable = channels, stride, learnable
        displacement = torch.rand(channels, 2) * 1.998 - 0.999
        if learnable:
            self.displacement = nn.Parameter(displacement)
            self.register_buffer("places", torch.tensor([-1.0, 0.0, 1.0]))
        else:
            place = displacement.round().long() + 1
            kernel = torch.zeros(channels, 1, 3, 3)
            kernel[torch.arange(channels), 0, place[:, 0], place[:, 1]] = 1.0
            self.register_buffer("kernel", kernel)

    def forward(self, x):
        if self.learnable:
            # Weight of a place: 1 minus its distance, where that is below 1.
            weights = (1 - (self.displacement[:, :, None] - self.places).abs()).clamp(min=0)
            kernel = (weights[:, 0, :, None] * weights[:, 1, None, :])[:, None]
        else:
            kernel = self.kernel
        return F.conv2d(x, kernel, stride=self.stride, padding=1, groups=self.channels)


def pointwise(inputs, outputs, stride=1):
    return nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)


class Activation(nn.Module):
    """BatchNorm, then clip to [0, 1]."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x):
        return self.norm(x).clamp(0, 1)


class Block(nn.Module):
    def __init__(self, inputs, width, stride, first, learnable):
        super().__init__()
        outputs = EXPANSION * width
        self.pre = nn.Identity() if first else Activation(inputs)
        self.reduce = pointwise(inputs, width)
        self.middle = Activation(width)
        self.shift = Shift(width, stride, learnable)
        self.expand = pointwise(width, outputs)
        self.last = nn.BatchNorm2d(outputs)
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else pointwise(inputs, outputs, stride)

    def forward(self, x):
        y = self.middle(self.reduce(self.pre(x)))
        return self.last(self.expand(self.shift(y))) + self.shortcut(x)


def network(learnable):
    layers = [nn.Conv2d(3, STEM, 3, padding=1, bias=False), Activation(STEM)]
    channels = STEM
    for width, blocks, stride in GROUPS:
        for i in range(blocks):
            layers.append(Block(channels, width, stride if i == 0 else 1, i == 0, learnable))
            channels = EXPANSION * width
        layers.append(Activation(channels))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, CLASSES))


def optimiser(model):
    """Decay on weights alone, as our recipes have it."""
    decayed = [p for n, p in model.named_parameters() if p.dim() > 1 and "displacement" not in n]
    ids = {id(p) for p in decayed}
    rest = [p for p in model.parameters() if id(p) not in ids]
    groups = [{"params": decayed, "weight_decay": 5e-4}, {"params": rest, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, lr=1e-3, momentum=0.9)


def peak_mib():
    """Largest resident memory of this process."""
    with open("/proc/self/status", encoding="utf-8") as status:
        lines = dict(line.split(":", 1) for line in status)
    return int(lines["VmHWM"].split()[0]) / 1024


def steps(arguments):
    """Yields the milliseconds of one step after another."""
    model = network(arguments.shift == "learnable")
    images, labels = torch.randn(BATCH, 3, SIDE, SIDE), torch.randint(CLASSES, (BATCH,))
    if arguments.layout == "channels_last":
        model = model.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    sgd = optimiser(model)
    run = torch.compile(model) if arguments.compile else model
    while True:
        begin = time.perf_counter()
        loss = F.cross_entropy(run(images), labels)
        loss.backward()
        sgd.step()
        sgd.zero_grad(set_to_none=True)
        loss.item()
        yield 1e3 * (time.perf_counter() - begin)


def products():
    """Yields the GFLOP/s of one matrix product of 1024 by 1024 by 1024 after another."""
    side = 1024
    a, b = torch.randn(side, side), torch.randn(side, side)
    c = torch.empty(side, side)
    while True:
        begin = time.perf_counter()
        torch.mm(a, b, out=c)
        yield 2e-9 * side**3 / (time.perf_counter() - begin)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layout", choices=["channels_last", "contiguous"], default="channels_last")
    parser.add_argument("--shift", choices=["learnable", "fixed"], default="learnable")
    parser.add_argument("--compile", action="store_true", help="by torch.compile, which needs a C++ compiler")
    parser.add_argument("--product", action="store_true", help="measure matrix products")
    arguments = parser.parse_args()
    torch.manual_seed(1)
    print(f"PyTorch {torch.__version__}", flush=True)
    values = products() if arguments.product else steps(arguments)
    for line in sys.stdin:
        threads, count = map(int, line.split())
        torch.set_num_threads(threads)
        print(*(f"{next(values):.4f}" for _ in range(count)), flush=True)
    print(f"{peak_mib():.1f}", flush=True)


if __name__ == "__main__":
    main()
