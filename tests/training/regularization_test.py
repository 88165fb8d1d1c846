from pathlib import Path

import keras
import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.data.augmentation import Augmentation
from rethink_keras.data.randomization import Randomization
from rethink_keras.errors import UserError
from rethink_keras.models.family import DefaultRegularization
from rethink_keras.training.regularization import Regularization, resolve
from tests.training.small_runs import run

DEFAULT = DefaultRegularization(weight_decay=4e-5, dropout=0.2, decayed_layers=("hidden",))
RANDOM = Randomization(labels="random", seed=0)


TRUE = Randomization(seed=0)
NOT_CONFIGURED, NO_AUGMENTATION = Regularization(), Augmentation()


def resolved(requested=NOT_CONFIGURED, augmentation=NO_AUGMENTATION, randomization=TRUE, **changes):
    options = {"default": DEFAULT, "dataset": "cifar10", "can_crop": True, **changes}
    return resolve(requested, augmentation, randomization=randomization, **options)


class ResolveTest(parameterized.TestCase):
    def test_not_configured_with_true_data_is_default(self):
        found = resolved()
        self.assertEqual((found.weight_decay, found.dropout), (4e-5, 0.2))
        self.assertEqual(found.decayed_layers, ("hidden",))
        self.assertTrue(found.augmentation.random_crop)
        self.assertTrue(found.explicit)
        self.assertIn("weight decay, dropout and augmentation not configured", found.log)

    @parameterized.parameters(
        Randomization(labels="random", seed=0),
        Randomization(labels="partially_corrupted", corruption=0.1, seed=0),
        Randomization(pixels="gaussian", seed=0),
        Randomization(pixels="shuffled", fraction=0.5, seed=0),
        # The first point of a sweep over probabilities is a run as all others are.
        Randomization(labels="partially_corrupted", corruption=0.0, seed=0),
        Randomization(pixels="random", fraction=0.0, seed=0),
    )
    def test_unsaid_under_a_randomization_is_off_and_said(self, randomization):
        found = resolved(randomization=randomization)
        self.assertEqual((found.weight_decay, found.dropout), (0, 0))
        self.assertFalse(found.augmentation.in_force)
        self.assertFalse(found.explicit)
        self.assertIn("off under a randomization", found.log)

    def test_randomized_test_labels_alone_are_true_data(self):
        self.assertTrue(resolved(randomization=Randomization(randomize_test_labels=True, seed=0)).explicit)

    def test_all_points_of_a_sweep_over_corruption_are_regularized_alike(self):
        levels = [Randomization(labels="partially_corrupted", corruption=p, seed=0) for p in (0.0, 0.5, 1.0)]
        for requested in (NOT_CONFIGURED, Regularization(weight_decay="default", dropout=0.1)):
            self.assertLen({resolved(requested, randomization=level) for level in levels}, 1)

    def test_a_number_decays_every_layer_and_the_default_only_its_own(self):
        number = resolved(Regularization(weight_decay=0.1))
        self.assertIsNone(number.decayed_layers)
        self.assertIn("0.1 on the kernels of all layers", number.log)
        default = resolved(Regularization(weight_decay="default"))
        self.assertEqual(default.decayed_layers, ("hidden",))
        self.assertIn("4e-05 on the kernels of hidden,", default.log)
        self.assertEqual(resolved().decayed_layers, ("hidden",))
        self.assertNotIn(" on ", resolved(Regularization(weight_decay=0)).log)

    def test_all_parameters_decay_if_asked(self):
        found = resolved(Regularization(weight_decay=0.1, decay="all"))
        self.assertEqual(found.decay, "all")
        self.assertIn("all parameters of all layers", found.log)

    def test_asking_wins(self):
        found = resolved(
            Regularization(weight_decay=0.01, dropout="default"), Augmentation(flip=True), RANDOM
        )
        self.assertEqual((found.weight_decay, found.dropout), (0.01, 0.2))
        self.assertEqual(found.augmentation, Augmentation(False, 0, True, 0.0, False))
        self.assertNotIn("not configured", found.log)

    def test_off_by_request_with_true_data(self):
        found = resolved(Regularization(weight_decay=0, dropout=0), Augmentation(random_crop=False))
        self.assertFalse(found.explicit)

    def test_a_data_set_without_defaults_has_none(self):
        found = resolved(dataset="arrays", has_defaults=False)
        self.assertEqual((found.weight_decay, found.dropout), (0, 0))
        self.assertFalse(found.explicit)
        self.assertIn(
            "weight decay, dropout and augmentation not configured: arrays has no defaults", found.log
        )
        self.assertFalse(resolved(has_defaults=False).augmentation.in_force)
        asked = resolved(Regularization("default", 0.1), Augmentation(flip=True), has_defaults=False)
        self.assertEqual((asked.weight_decay, asked.dropout, asked.augmentation.flip), (4e-5, 0.1, True))

    def test_no_default_crop_without_room(self):
        self.assertFalse(resolved(can_crop=False).augmentation.in_force)
        self.assertFalse(resolved(dataset="digits").augmentation.in_force)

    @parameterized.parameters(
        {"weight_decay": -1},
        {"dropout": 1.0},
        {"weight_decay": "usual"},
        {"dropout": True},
        {"decay": "biases"},
    )
    def test_bad_values(self, **asked):
        with self.assertRaises(UserError):
            Regularization(**asked)


FEW = ("dataset.train_examples = 32", "dataset.test_examples = 10", "train.epochs = 1")


class InARunTest(parameterized.TestCase):
    @parameterized.parameters(
        ("'default'", "kernels", ["hidden_1/kernel", "hidden_2/kernel"]),
        (
            "0.004",
            "kernels",
            [f"{name}/kernel" for name in ("conv_1", "conv_2", "hidden_1", "hidden_2", "logits")],
        ),
        ("0.004", "all", None),
    )
    def test_the_penalty_is_that_of_the_parameters_asked_for(self, weight_decay, decay, decayed):
        bindings = (
            "train.model = @small_alexnet",
            f"regularization.weight_decay = {weight_decay}",
            f"regularization.decay = '{decay}'",
        )
        folder = Path(self.create_tempdir())
        row = run(folder, *FEW, *bindings).history[-1]
        network = keras.models.load_model(folder / "model.keras", compile=False)
        weights = [w for w in network.trainable_weights if decayed is None or w.path in decayed]
        self.assertLen(weights, 10 if decayed is None else len(decayed))
        squares = sum(np.sum(np.square(np.asarray(weight, np.float64))) for weight in weights)
        np.testing.assert_allclose(row["penalty"], 0.004 / 2 * squares, rtol=1e-4)

    def test_corruption_with_probability_0_has_true_labels_and_no_regularization_by_default(self):
        corruption = ("randomization.labels = 'partially_corrupted'", "randomization.corruption = 0.0")
        folder = Path(self.create_tempdir())
        corrupted = run(folder / "corrupted", *FEW, *corruption).summary
        true = run(folder / "true", *FEW, "regularization.weight_decay = 0").summary
        self.assertFalse(corrupted["explicit_regularization"])
        self.assertEqual(corrupted["fingerprints"], true["fingerprints"])


if __name__ == "__main__":
    absltest.main()
