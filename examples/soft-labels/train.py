"""A net of two layers in plain NumPy, trained on what augx wrote: without the copies, and with them, their labels once
rounded to one class and once as they are. The loss is the cross-entropy to the weights in `labels`, which is all that
soft labels ask of a training code."""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

HIDDEN, STEPS, BATCH, RATE = 64, 3000, 32, 0.1


def load(rows, root, classes):
    """Pictures as rows of numbers around 0, and for each the weights of all classes."""
    pixels = [np.asarray(Image.open(root / row["file_name"]).convert("L"), float).ravel() / 128 - 1 for row in rows]
    weights = [[row["labels"].get(name, 0) for name in classes] for row in rows]
    return np.array(pixels), np.array(weights, float)


def predict(net, x):
    """What goes into the second layer, and the weights of the classes that come out."""
    inner = np.maximum(x @ net[0] + net[1], 0)
    scores = inner @ net[2] + net[3]
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return inner, scores / scores.sum(axis=1, keepdims=True)


def train(x, y, seed):
    """By gradient descent: the weights and biases of both layers."""
    rng = np.random.default_rng(seed)
    first = rng.normal(0, (2 / x.shape[1]) ** 0.5, (x.shape[1], HIDDEN))
    net = [first, np.zeros(HIDDEN), rng.normal(0, 0.1, (HIDDEN, y.shape[1])), np.zeros(y.shape[1])]
    for _ in range(STEPS):
        batch = rng.integers(0, len(x), BATCH)
        inner, told = predict(net, x[batch])
        error = (told - y[batch]) / BATCH
        back = error @ net[2].T * (inner > 0)
        slopes = (x[batch].T @ back, back.sum(axis=0), inner.T @ error, error.sum(axis=0))
        for part, slope in zip(net, slopes, strict=True):
            part -= RATE * slope
    return net


def main(root):
    with (root / "manifest.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    classes = sorted({name for row in rows for name in row["labels"]})
    x_test, y_test = load([row for row in rows if row["split"] == "test"], root, classes)
    rows = [row for row in rows if row["split"] == "train"]
    x, soft = load(rows, root, classes)
    hard = np.eye(len(classes))[soft.argmax(axis=1)]
    plain = np.array([row["copy"] == 0 for row in rows])
    print(f"{plain.sum()} pictures, {len(x)} with their copies; tested on {len(x_test)} others, three nets each:")
    ways = {"no copies": (x[plain], soft[plain]), "copies, heaviest class": (x, hard), "copies, soft labels": (x, soft)}
    for name, (some, y) in ways.items():
        told = [predict(train(some, y, seed), x_test)[1] for seed in range(3)]
        right = np.mean([one.argmax(axis=1) == y_test.argmax(axis=1) for one in told])
        loss = np.mean([-np.log(one[y_test == 1]).mean() for one in told])
        print(f"{name:<22}  accuracy {100 * right:.1f} %  cross-entropy {loss:.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "shapes-x31"))
