from absl.testing import absltest

from rethink_keras.errors import UserError
from rethink_keras.training.evaluation import Evaluation
from rethink_keras.training.evaluators import EVALUATORS, Evaluator


class EvaluatorTest(absltest.TestCase):
    def test_one_that_does_not_evaluate_is_refused_when_it_is_registered(self):
        class Nothing(Evaluator):
            pass

        with self.assertRaisesRegex(TypeError, "evaluate"):
            EVALUATORS.register("nothing")(Nothing)

    def test_an_unknown_name_is_refused(self):
        with self.assertRaisesRegex(UserError, "evaluation.evaluators.*'nothing'"):
            Evaluation(evaluators=("nothing",))


if __name__ == "__main__":
    absltest.main()
