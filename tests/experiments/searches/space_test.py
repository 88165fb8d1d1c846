from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.errors import UserError
from rethink_keras.experiments.searches.space import Space
from rethink_keras.training.optimizers import adam, sgd
from tests.experiments.searches.small_searches import planned

SPACE = {
    "choice": {"train.optimizer": [sgd, adam], "mlp.hidden": ["16", "32"]},
    "uniform": {"sgd.momentum": (0.5, 0.95)},
    "log_uniform": {"train.learning_rate": (0.001, 0.1)},
    "integer": {"train.batch_size": (16, 64)},
}


class SpaceTest(parameterized.TestCase):
    def test_says_what_each_parameter_may_be(self):
        self.assertEqual(
            dict(Space(**SPACE)),
            {
                "train.optimizer": "@sgd | @adam",
                "mlp.hidden": "'16' | '32'",
                "train.learning_rate": "0.001 to 0.1, log-uniform",
                "sgd.momentum": "0.5 to 0.95",
                "train.batch_size": "16 to 64",
            },
        )

    def test_corners_bind_choices_and_bounds(self):
        corners = list(Space(**SPACE).corners())
        self.assertLen(corners, 10)
        self.assertContainsSubset(
            ["train.optimizer = @adam", "mlp.hidden = '16'", "sgd.momentum = 0.95", "train.batch_size = 16"],
            corners,
        )

    def test_values_become_gin_texts(self):
        values = {
            "train.optimizer": "@adam",
            "train.learning_rate": 0.00123456,
            "train.batch_size": 17,
            "tuner/epochs": 3,
        }
        self.assertEqual(
            Space(**SPACE).bindings(values),
            {"train.optimizer": "@adam", "train.learning_rate": "0.001235", "train.batch_size": "17"},
        )
        narrow = Space(uniform={"sgd.momentum": (0.50001, 0.99999)})
        self.assertEqual(narrow.bindings({"sgd.momentum": 0.999989}), {"sgd.momentum": "0.99999"})

    def test_a_choice_s_parameter_varies_only_where_it_is_chosen(self):
        folder = Path(self.create_tempdir())
        plan = planned(folder, "search.trials = 20")
        for number in range(20):
            bound = plan.bindings(plan.oracle.create_trial(str(number)))
            self.assertEqual("sgd.momentum" in bound, bound["train.optimizer"] == "@sgd")

    @parameterized.parameters(
        (
            {"uniform": {"sgd.momentum": (0.9, 0.5)}},
            "space.uniform of sgd.momentum is (0.9, 0.5). Give the smallest",
        ),
        ({"integer": {"mlp.hidden": (1, 2, 3)}}, "space.integer of mlp.hidden is (1, 2, 3)."),
        ({"log_uniform": {"sgd.momentum": (0, 0.5)}}, "space.log_uniform of sgd.momentum begins at 0."),
        ({"choice": {"mlp.hidden": []}}, "space.choice of mlp.hidden is []. Give a list of values"),
        (
            {"choice": {"mlp.hidden": ["8", "8"]}},
            "space.choice of mlp.hidden is ['8', '8']. Give a list of values that differ",
        ),
        (
            {"choice": {"mlp.hidden": ["8"]}, "integer": {"mlp.hidden": (1, 2)}},
            "mlp.hidden is in the space twice.",
        ),
        ({"choice": {"mlp.hidden": "512"}}, "space.choice of mlp.hidden is '512'. Give a list"),
        (
            {"choice": {"hidden": ["8"]}},
            "The space names 'hidden'. Write function.parameter, such as 'mlp.hidden'.",
        ),
        ({"uniform": {"nothing": (0, 1)}}, "The space names 'nothing'. Write function.parameter"),
        ({"choice": {"train.optimizer": [print]}}, "print is no function that gin knows"),
        ({}, "The search varies nothing."),
    )
    def test_bad_spaces(self, space, sentence):
        with self.assertRaises(UserError) as raised:
            Space(**space)
        self.assertStartsWith(raised.exception.sentence, sentence)

    @parameterized.parameters(
        "space.log_uniform = (1e-4, 1e-1)",
        "train.learning_rate = @space.log_uniform",
        "train.learning_rate = @space.log_uniform()",
        "space.log_uniform.train.learning_rate = (1e-4, 1e-1)",
        "search.log_uniform = {'train.learning_rate': (1e-4, 1e-1)}",
        "log_uniform = {'train.learning_rate': (1e-4, 1e-1)}",
    )
    def test_the_form_is_shown_for_a_known_name_in_the_wrong_place(self, binding):
        with self.assertRaises(UserError) as raised:
            config.parse([], [binding])
        self.assertIn("Write space.log_uniform = {'train.learning_rate': (", raised.exception.sentence)
        self.assertNotIn("there is no", raised.exception.sentence)

    @parameterized.parameters("choice", "uniform", "log_uniform", "integer")
    def test_the_examples_of_messages_are_spaces(self, kind):
        config.parse([], [f"space.{kind} = {config.example('space', kind)}"])
        self.assertLen(list(Space()), 1)

    def test_a_parameter_bound_in_the_space_itself(self):
        with self.assertRaisesRegex(UserError, r"Write space\.choice = {") as raised:
            config.parse([], ["space.train.learning_rate = (1e-4, 1e-1)"])
        self.assertIn("log_uniform", raised.exception.sentence)


if __name__ == "__main__":
    absltest.main()
