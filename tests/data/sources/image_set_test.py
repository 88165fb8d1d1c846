import numpy as np
from absl.testing import absltest

from tests.data.helpers import image_set


class ImageSetTest(absltest.TestCase):
    def test_fingerprint_tells_any_change(self):
        made = image_set(5)
        fingerprints = {made.fingerprint, image_set(5, classes=11).fingerprint}
        for part in ("images", "labels", "ids"):
            changed = image_set(5)
            getattr(changed, part)[-1] += 1
            fingerprints.add(changed.fingerprint)
        self.assertLen(fingerprints, 5)
        self.assertEqual(image_set(5).fingerprint, made.fingerprint)

    def test_pixel_statistics(self):
        made = image_set(30, (7, 5, 3))
        flat = made.images.reshape(-1, 3).astype(float)
        np.testing.assert_allclose(made.pixel_statistics.mean, flat.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(made.pixel_statistics.std, flat.std(axis=0), rtol=1e-12)

    def test_pixel_statistics_of_a_constant_channel(self):
        made = image_set(30)
        made.images[..., 1] = 77
        self.assertEqual(made.pixel_statistics.mean[1], 77)
        self.assertEqual(made.pixel_statistics.std[1], 0)


if __name__ == "__main__":
    absltest.main()
