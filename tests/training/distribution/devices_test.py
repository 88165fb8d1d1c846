from pathlib import Path

import keras
import tensorflow as tf
from absl.testing import absltest, parameterized

from rethink_keras.errors import DataNotAvailableError, OutOfMemoryError, UserError
from rethink_keras.training.distribution import devices


def of_replicas(count):
    return devices.Devices(strategy=absltest.mock.Mock(num_replicas_in_sync=count))


class StrategyTest(parameterized.TestCase):
    def test_the_runs_of_a_process_share_a_strategy(self):
        first, second = (devices.choose("mirrored", in_memory=True).strategy for _ in range(2))
        self.assertIs(first, second)

    def test_auto_on_one_device_is_none(self):
        if tf.config.list_physical_devices("GPU"):
            self.skipTest("has a GPU")
        self.assertIsNone(devices.choose("auto", in_memory=True).strategy)

    def test_uneven_split_is_an_error(self):
        three = of_replicas(3)
        with self.assertRaisesRegex(UserError, "batch_size is 128, which does not divide by 3"):
            devices.check_batch_divides(three, 128, 1280)
        with self.assertRaisesRegex(UserError, "the last batch of 50000 examples is 80"):
            devices.check_batch_divides(three, 129 - 9, 50000)
        devices.check_batch_divides(three, 120, 1200)

    @parameterized.parameters(
        ("mixed_float16", 2), ("mixed_bfloat16", 2), ("mixed_float16", 1), ("float32", 8)
    )
    def test_float16_is_for_one_replica(self, precision, replicas):
        if precision == "mixed_float16" and replicas > 1:
            with self.assertRaisesRegex(UserError, "mixed_float16.*mixed_bfloat16"):
                devices.check_precision(of_replicas(replicas), precision)
        else:
            devices.check_precision(of_replicas(replicas), precision)


class ErrorsTest(parameterized.TestCase):
    """Errors of reading data are translated, and no others."""

    def fit(self, dataset):
        network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        network.compile(
            "sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False
        )
        with devices.translate_tensorflow_errors():
            network.fit(dataset, verbose=0, shuffle=False)

    def test_a_missing_file(self):
        lost = str(Path(self.create_tempdir()) / "lost")
        records = tf.data.TFRecordDataset(lost).map(lambda _: (tf.zeros(4), 0)).batch(2)
        with self.assertRaisesRegex(DataNotAvailableError, "lost; No such file"):
            self.fit(records)

    def test_a_record_that_cannot_be_decoded(self):
        def decode(text):
            return tf.zeros(4) * tf.cast(tf.io.decode_jpeg(text)[0, 0, 0], tf.float32), 0

        with self.assertRaisesRegex(DataNotAvailableError, "could not be read.*image"):
            self.fit(tf.data.Dataset.from_tensors(tf.constant(b"not an image")).map(decode).batch(2))

    def test_a_tensor_that_does_not_fit_into_memory(self):
        with self.assertRaisesRegex(OutOfMemoryError, "memory"), devices.translate_tensorflow_errors():
            tf.zeros([1 << 46])

    @parameterized.parameters(
        "CUDA error: : CUDA_ERROR_OUT_OF_MEMORY: out of memory",
        "cudaSetDevice() on GPU:0 failed. Status: out of memory",
        "Failed copying input tensor from CPU:0 to GPU:0 in order to run _EagerConst: Dst tensor is not initialized.",
        "cudnn library could not create a handle: CUDNN_STATUS_ALLOC_FAILED",
    )
    def test_a_lack_of_gpu_memory_by_its_message(self, message):
        with self.assertRaises(OutOfMemoryError), devices.translate_tensorflow_errors():
            raise tf.errors.InternalError(None, None, message)

    def test_other_failures_of_a_gpu_pass_unchanged(self):
        with self.assertRaises(tf.errors.InternalError), devices.translate_tensorflow_errors():
            raise tf.errors.InternalError(None, None, "cudnn library could not create a handle: x")

    def test_errors_of_the_network_pass_unchanged(self):
        with self.assertRaises(tf.errors.InvalidArgumentError):  # a label outside the classes
            self.fit(tf.data.Dataset.from_tensors((tf.zeros(4), 7)).batch(2))


if __name__ == "__main__":
    absltest.main()
