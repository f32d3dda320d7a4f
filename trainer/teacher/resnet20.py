"""A yardstick: what a ResNet-20 in float gets of the pictures that a recipe trains on.

    lsspq pictures recipe.toml --out seen
    lsspq pictures recipe.toml --test --out unseen
    pip install -r trainer/teacher/requirements.txt
    python trainer/teacher/resnet20.py seen unseen --kept resnet20.pt

The network of He, Zhang, Ren and Sun (2016, section 4.2), which they report at 8.75 % errors on CIFAR-10: 16, 32 and 64 channels (`--width` times
as many), shortcuts by every second pixel and padded channels. It begins anew and sees these pictures alone: cropped from 4 pixels of the
mean colour around, and mirrored. What it has learned is kept after every epoch, and a second call goes on from there.
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

# Mean and deviation of CIFAR-10's training pictures, red, green, blue, in parts of 255.
MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
BATCH, RATE, MOMENTUM, WEIGHT_DECAY = 128, 0.1, 0.9, 5e-4
PADDING = 4
BLOCKS = 3


class Block(nn.Module):
    def __init__(self, inputs, channels, stride):
        super().__init__()
        self.first = nn.Conv2d(inputs, channels, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)])
        self.stride, self.missing = stride, channels - inputs

    def forward(self, x):
        y = self.norms[1](self.second(F.relu(self.norms[0](self.first(x)))))
        shortcut = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.missing))
        return F.relu(y + shortcut)


class ResNet20(nn.Sequential):
    def __init__(self, classes, width):
        channels = [width * 16 << group for group in range(3)]
        inputs = [channels[0], channels[0], channels[1]]
        stem = [nn.Conv2d(3, channels[0], 3, 1, 1, bias=False), nn.BatchNorm2d(channels[0]), nn.ReLU()]
        blocks = [
            Block(inputs[g] if b == 0 else channels[g], channels[g], 2 if g and b == 0 else 1)
            for g in range(3)
            for b in range(BLOCKS)
        ]
        super().__init__(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels[2], classes))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seen", type=Path, help="the folder that `lsspq pictures` wrote")
    parser.add_argument("unseen", type=Path, help="the folder that `lsspq pictures --test` wrote")
    parser.add_argument("--kept", type=Path, required=True, help="the file that holds what was learned so far")
    parser.add_argument("--width", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()

    seen, unseen = load(options.seen), load(options.unseen)
    classes = len((options.seen / "classes.txt").read_text().splitlines())
    torch.manual_seed(options.seed)
    network = ResNet20(classes, options.width).to(options.device, memory_format=torch.channels_last)
    count = sum(p.numel() for p in network.parameters())
    print(f"{count} parameters; {len(seen[1])} pictures to learn from, {len(unseen[1])} to test", flush=True)
    optimiser = torch.optim.SGD(network.parameters(), RATE, MOMENTUM, weight_decay=WEIGHT_DECAY, nesterov=True)
    begin = 0
    if options.kept.exists():
        state = torch.load(options.kept, map_location=options.device, weights_only=True)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        begin = state["epochs"]
    for epoch in range(begin, options.epochs):
        began = time.time()
        loss, right = learn(network, optimiser, seen, epoch, options)
        state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "epochs": epoch + 1}
        torch.save(state, options.kept.with_suffix(".new"))
        options.kept.with_suffix(".new").replace(options.kept)
        print(f"epoch {epoch + 1}/{options.epochs}: loss {loss:.4f}, {100 * right:.2f} % right, {time.time() - began:.0f} s", flush=True)
    # At the end alone: the test pictures choose nothing.
    for looks in 1, 2:
        right = sum(count_right(network, *unseen, looks, options.device))
        print(f"{options.unseen}, looked at {looks} times: {right} of {len(unseen[1])} right", flush=True)


def load(folder):
    """Pictures, normalised, [pictures, 3, rows, columns], and labels."""
    pixels = torch.from_numpy(np.load(folder / "pictures.npy")).permute(0, 3, 1, 2).float() / 255
    pixels -= torch.tensor(MEAN)[:, None, None]
    pixels /= torch.tensor(DEVIATION)[:, None, None]
    return pixels, torch.from_numpy(np.load(folder / "labels.npy").astype(np.int64))


def learn(network, optimiser, seen, epoch, options):
    """One epoch: mean loss and how much was right."""
    network.train()
    random = torch.Generator().manual_seed(options.seed * 10_000 + epoch)
    order = torch.randperm(len(seen[1]), generator=random)
    batches = len(order) // BATCH
    losses, right = 0.0, 0
    for number, indices in enumerate(order[: batches * BATCH].split(BATCH)):
        part = (epoch + number / batches) / options.epochs
        for group in optimiser.param_groups:
            # A linear rise over the first epoch, then half a cosine.
            group["lr"] = RATE * min(1, epoch + (number + 1) / batches) * (1 + math.cos(math.pi * part)) / 2
        images, wanted = altered(seen[0][indices], random).to(options.device), seen[1][indices].to(options.device)
        logits = network(images.contiguous(memory_format=torch.channels_last))
        loss = F.cross_entropy(logits, wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses += loss.item() / batches
        right += (logits.argmax(1) == wanted).sum().item()
    return losses, right / (batches * BATCH)


def altered(images, random):
    """Each picture cropped at random from the mean colour around it, and mirrored or not."""
    side = images.shape[-1]
    padded = F.pad(images, [PADDING] * 4)
    places = torch.randint(0, 2 * PADDING + 1, (len(images), 2), generator=random).tolist()
    crops = torch.stack([p[:, y : y + side, x : x + side] for p, (y, x) in zip(padded, places)])
    mirror = torch.rand(len(images), generator=random) < 0.5
    return torch.where(mirror[:, None, None, None], crops.flip(3), crops)


@torch.inference_mode()
def count_right(network, pictures, labels, looks, device, size=500):
    """Right answers, batch by batch: of each picture, or of the mean of it and of its mirror image."""
    network.eval()
    for first in range(0, len(labels), size):
        images = pictures[first : first + size].to(device)
        logits = network(images) + (network(images.flip(3)) if looks == 2 else 0)
        yield (logits.argmax(1).cpu() == labels[first : first + size]).sum().item()


if __name__ == "__main__":
    main()
