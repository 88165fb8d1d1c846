import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.theory.features.gabor_wavelets import GaborWavelets
from tests.theory.features.helpers import stages


class GaborWaveletsTest(parameterized.TestCase):
    def test_answers_to_its_frequency_and_orientation(self):
        how = GaborWavelets(frequencies=(0.1, 0.25), orientations=4, stride=32, window=32)
        columns = np.arange(32)
        waves = np.stack([np.tile(np.cos(2 * np.pi * f * columns), (32, 1)) for f in (0.1, 0.25)])
        found = how.features(waves[..., np.newaxis].astype(np.float32), how.filters())
        self.assertEqual(found.shape, (2, 8))
        self.assertEqual(
            found.argmax(axis=1).tolist(), [0, 4]
        )  # waves along the columns: the first orientation

    def test_number_of_features_is_the_one_that_memory_is_checked_for(self):
        how = GaborWavelets(orientations=3, stride=4)
        [(count, *_)] = stages(how)
        self.assertEqual(count, 3 * 3 * 3 * 2 * 3)
        self.assertEqual(how.bytes_needed(1, 0, (10, 12, 3)), 17 * count)

    @parameterized.parameters(
        ("frequencies", ()),
        ("frequencies", (0.6,)),
        ("orientations", 0),
        ("bandwidth", 0),
        ("stride", 0),
        ("window", -1),
    )
    def test_bad_settings(self, name, value):
        with self.assertRaisesRegex(UserError, f"gabor_wavelets.{name} is "):
            GaborWavelets(**{name: value})


if __name__ == "__main__":
    absltest.main()
