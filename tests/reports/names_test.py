from absl.testing import absltest, parameterized

from rethink_keras.reports.names import NETWORKS, corruption_level, network_name, variant_name
from rethink_keras.reports.paper_results import PAPER_RESULTS


class NamesTest(parameterized.TestCase):
    def test_every_network_of_the_paper_has_a_name(self):
        for paper_result in PAPER_RESULTS.values():
            self.assertContainsSubset({network for network, _ in paper_result.numbers.rows}, NETWORKS)

    def test_names(self):
        self.assertEqual(network_name("mlp_1x512"), "MLP 1×512")
        self.assertEqual(network_name("my_net"), "my net")
        self.assertEqual(variant_name("random_labels+weight_decay"), "random labels + weight decay")
        self.assertEqual(variant_name("corruption_0.3"), "corruption 0.3")

    @parameterized.parameters(
        ("corruption_0.3", 0.3), ("corruption_1.5", None), ("corruption_nan", None), ("plain", None)
    )
    def test_corruption_levels(self, variant, level):
        self.assertEqual(corruption_level(variant), level)


if __name__ == "__main__":
    absltest.main()
