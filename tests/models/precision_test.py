import keras
from absl.testing import absltest

from rethink_keras.models.precision import dtype_policy


class DtypePolicyTest(absltest.TestCase):
    def test_is_set_in_the_block_and_restored_after_it(self):
        with self.assertRaises(KeyError), dtype_policy("mixed_bfloat16"):
            self.assertEqual(keras.layers.Dense(1).compute_dtype, "bfloat16")
            raise KeyError
        self.assertEqual(keras.config.dtype_policy().name, "float32")


if __name__ == "__main__":
    absltest.main()
