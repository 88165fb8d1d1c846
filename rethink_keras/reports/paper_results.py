"""The tables and figures of the paper: what their rows are called and which measures they show."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from rethink_keras.reports.collect import Run

NETWORKS = {
    "inception": "small Inception",
    "inception_no_bn": "small Inception w/o BatchNorm",
    "alexnet": "small AlexNet",
    "mlp_3x512": "MLP 3×512",
    "mlp_1x512": "MLP 1×512",
    "inception_v3": "Inception V3",
}
WORDS = {
    "plain": "no regularizers",
    "true_labels": "true labels",
    "random_labels": "random labels",
    "shuffled_pixels": "shuffled pixels",
    "random_pixels": "random pixels",
    "gaussian_pixels": "Gaussian",
    "weight_decay": "weight decay",
    "crop": "random crop",
    "flip_rotate": "flip and rotation",
}


@dataclasses.dataclass(frozen=True)
class Measure:
    """A figure of a run, beside which the paper's stands.

    Attributes:
        quantity: its name, the paper's numbers' too.
        title: heads a column, with the unit.
        read: takes it from a run that is done; None if the run has it not.
        absent: what to say then.
        digits: after the point.
        judged: whether the paper's spread in points of accuracy applies.
        relative_to: variant whose mean, of the same network, it is divided by.
    """

    quantity: str
    title: str
    read: Callable[[Run], float | None]
    absent: str = "not measured"
    digits: int = 2
    judged: bool = True
    relative_to: str | None = None


@dataclasses.dataclass(frozen=True)
class Label:
    """A column that says what a row is: its title, and its text by network and variant."""

    title: str
    text: Callable[[str, str], str]


@dataclasses.dataclass(frozen=True)
class PaperResult:
    """A table or figure of the paper.

    Attributes:
        key: as in a sweep's `paper_result`.
        name: as in the paper.
        title: what it shows.
        reading: how to read ours beside the paper's.
        dataset: the paper's; None if no row is the paper's.
        labels: columns that say what a row is.
        measures: columns of figures.
    """

    key: str
    name: str
    title: str
    reading: str
    dataset: str | None
    labels: tuple[Label, ...]
    measures: tuple[Measure, ...]


def words(variant: str) -> str:
    """A variant for people, such as 'random labels + weight decay'."""
    if variant.startswith("corruption_"):
        return f"corruption {variant.removeprefix('corruption_')}"
    return " + ".join(WORDS.get(part, part.replace("_", " ")) for part in variant.split("+"))


def corruption(variant: str) -> float | None:
    """The level of a variant such as 'corruption_0.3'; None of another."""
    try:
        level = float(variant.removeprefix("corruption_"))
    except ValueError:
        return None
    return level if 0 <= level <= 1 else None


def network(name: str) -> str:
    """A network's name for people."""
    return NETWORKS.get(name, name.replace("_", " "))


def of(key: str) -> PaperResult:
    """The paper_result of a sweep; a plain one if the paper has none of that name."""
    return PAPER_RESULTS.get(key, OWN)


def _percent(group: str, name: str) -> Callable[[Run], float | None]:
    def read(run: Run) -> float | None:
        value = run.summary[group].get(name)
        return None if value is None else 100 * value

    return read


def _fitting_accuracy(run: Run) -> float:
    """Training accuracy; over the last epoch on augmented images where the row is about augmentation (appendix E)."""
    assert run.plan
    if {"crop", "flip_rotate"} & set(run.plan.variant.split("+")):
        return 100 * run.rows[-1]["running_accuracy"]
    return 100 * run.summary["final"]["train_accuracy"]


def _epochs_to_fit(run: Run) -> float | None:
    return run.summary["epochs_to_fit"]


def _epochs_to_accuracy(run: Run) -> float | None:
    return run.summary["epochs_to_accuracy"]


def _test_error_when_fitted(run: Run) -> float | None:
    epoch = run.summary["epochs_to_accuracy"]
    return next((100 * (1 - row["test_accuracy"]) for row in run.rows if row["epoch"] == epoch), None)


def _final_loss(run: Run) -> float | None:
    return run.summary["final"]["train_loss"]


def _has(part: str) -> Callable[[str, str], str]:
    return lambda network, variant: "yes" if part in variant.split("+") else "no"


def _labels_kind(network: str, variant: str) -> str:
    return "random" if "random_labels" in variant.split("+") else "true"


_NETWORK = Label("network", lambda name, variant: network(name))
_VARIANT = Label("variant", lambda name, variant: words(variant))
_TRAIN = Measure("train_accuracy", "train accuracy (%)", _percent("final", "train_accuracy"))
_TEST = Measure("test_accuracy", "test accuracy (%)", _percent("final", "test_accuracy"))
_BEST = Measure(
    "best_test_accuracy",
    "best test on the way (%)",
    _percent("best_on_the_way", "test_accuracy"),
    judged=False,
)
_FIT = Measure("epochs_to_fit", "epochs to fit", _epochs_to_fit, "not fitted", digits=1, judged=False)

PAPER_RESULTS = {
    paper_result.key: paper_result
    for paper_result in (
        PaperResult(
            "table1",
            "Table 1",
            "CIFAR-10: every network fits random labels as it fits the true ones",
            "Final accuracies on fixed weights, over the whole training and test set.",
            "cifar10",
            (
                _NETWORK,
                Label("labels", _labels_kind),
                Label("random crop", _has("crop")),
                Label("weight decay", _has("weight_decay")),
            ),
            (_TRAIN, _TEST, _BEST),
        ),
        PaperResult(
            "table2",
            "Table 2",
            "ImageNet: Inception V3 with and without regularizers",
            "Top-1 and top-5 accuracies at the end. The best on the way is what early stopping would have taken, "
            "the paper's brackets.",
            "imagenet2012",
            (
                _NETWORK,
                Label("labels", _labels_kind),
                Label("augmentation", _has("augmentation")),
                Label("dropout", _has("dropout")),
                Label("weight decay", _has("weight_decay")),
            ),
            (
                dataclasses.replace(_TRAIN, title="train top-1 (%)"),
                Measure("train_top5_accuracy", "train top-5 (%)", _percent("final", "train_top5_accuracy")),
                dataclasses.replace(_TEST, title="test top-1 (%)"),
                Measure("test_top5_accuracy", "test top-5 (%)", _percent("final", "test_top5_accuracy")),
                dataclasses.replace(_BEST, title="best test top-1 on the way (%)", judged=True),
                Measure(
                    "best_test_top5_accuracy",
                    "best test top-5 on the way (%)",
                    _percent("best_on_the_way", "test_top5_accuracy"),
                ),
            ),
        ),
        PaperResult(
            "table4",
            "Table 4",
            "Fitting random labels with a regularizer on",
            "Training accuracy on random labels: on fixed weights with weight decay, and running over the last "
            "epoch's augmented images with random crop or flip and rotation, as the paper's appendix E has it.",
            "cifar10",
            (
                _NETWORK,
                Label("regularizer", lambda name, variant: words(variant.removeprefix("random_labels+"))),
            ),
            (dataclasses.replace(_TRAIN, read=_fitting_accuracy),),
        ),
        PaperResult(
            "figure1a",
            "Figure 1a",
            "Random labels and random pixels are fitted, too",
            "Average training loss by step. Ours is the column train_loss of metrics.csv: where it says "
            "'fixed_weights', the mean over the whole training set after each epoch. The paper does not say what "
            "its average goes over; its points, an epoch apart, are nearer to that than to a running mean.",
            "cifar10",
            (_NETWORK, Label("data", lambda name, variant: words(variant))),
            (
                _FIT,
                Measure("train_loss", "final training loss", _final_loss, digits=4, judged=False),
            ),
        ),
        PaperResult(
            "figure1b_1c",
            "Figures 1b and 1c",
            "The more labels are corrupted, the longer fitting takes and the higher the test error",
            "1b: the first epoch whose training accuracy is high enough, relative to the same network without "
            "corruption. 1c: the test error after that epoch. The paper does not say when a network has fitted; "
            "the sweeps say 99 percent.",
            "cifar10",
            (_NETWORK, Label("corruption", lambda name, variant: variant.removeprefix("corruption_"))),
            (
                dataclasses.replace(_FIT, read=_epochs_to_accuracy),
                Measure(
                    "relative_time",
                    "relative to no corruption",
                    _epochs_to_accuracy,
                    "not fitted",
                    judged=False,
                    relative_to="corruption_0.0",
                ),
                Measure("test_error", "test error when fitted (%)", _test_error_when_fitted, "not fitted"),
            ),
        ),
        PaperResult(
            "figure2a",
            "Figure 2a",
            "ImageNet: what early stopping would gain",
            "Accuracy by step, training dotted and test solid. The paper's best on the way is read off its curves.",
            "imagenet2012",
            (_NETWORK, Label("regularizers", lambda name, variant: words(variant))),
            (_TRAIN, _TEST, _BEST),
        ),
        PaperResult(
            "figure2b",
            "Figure 2b",
            "CIFAR-10: batch normalization steadies learning",
            "Accuracy by step, training dotted and test solid. The paper's best on the way is read off its curves.",
            "cifar10",
            (_NETWORK,),
            (_TRAIN, _TEST, _BEST),
        ),
    )
}
OWN = PaperResult(
    "own",
    "A sweep of one's own",
    "",
    "Final accuracies, and the best test accuracy on the way.",
    None,
    (_NETWORK, _VARIANT),
    (_TRAIN, _TEST, _BEST, _FIT),
)
