import numpy as np
from absl.testing import absltest

from rethink_keras.theory.features.features import PixelFeatures, flat_images
from tests.theory.features.helpers import split, stages


class PixelFeaturesTest(absltest.TestCase):
    def test_products_of_pixels(self):
        train, test = split(), split("test", 7)
        [(count, filters, inner, cross)] = stages(PixelFeatures(), train, test)
        flat, flat_test = (s.source.images.reshape(len(s.labels), -1) / 255 for s in (train, test))
        self.assertEqual((count, filters), (360, None))
        np.testing.assert_allclose(inner, flat @ flat.T, rtol=1e-6)
        np.testing.assert_allclose(cross, flat_test @ flat.T, rtol=1e-6)

    def test_images_are_points_in_their_order(self):
        train = split(count=3)
        self.assertEqual(flat_images(train).dtype, np.float32)
        np.testing.assert_allclose(flat_images(train)[1], train.source.images[1].ravel() / 255, rtol=1e-6)


if __name__ == "__main__":
    absltest.main()
