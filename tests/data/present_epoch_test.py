from absl.testing import absltest

from rethink_keras.data.present_epoch import PresentEpoch


class PresentEpochTest(absltest.TestCase):
    def test_each_iteration_reads_the_epoch_when_it_begins(self):
        epoch = PresentEpoch()
        dataset = epoch.dataset()
        for number in (0, 12, 3, 3):  # 3 after 12: a shorter text over a longer one
            epoch.assign(number)
            self.assertEqual(list(dataset.as_numpy_iterator()), [number])

    def test_begins_with_0(self):
        self.assertEqual(list(PresentEpoch().dataset().as_numpy_iterator()), [0])

    def test_every_object_has_an_epoch_of_its_own(self):
        one, other = PresentEpoch(), PresentEpoch()
        one.assign(5)
        self.assertEqual(list(other.dataset().as_numpy_iterator()), [0])


if __name__ == "__main__":
    absltest.main()
