"""The randomization tests of section 2.1: labels and pixels as pure functions of (seed, example id).

Every draw is computed from the seed and the id of an example (see `random_bits`), not taken from a running
generator. So it is the same over epochs, processes, hosts, shards, batch sizes, orders and restarts.

  labels.py         the kinds of `randomization.labels`: base class, registry `LABEL_RANDOMIZATIONS`, kinds
  pixels.py         the kinds of `randomization.pixels`: base class, registry `PIXEL_RANDOMIZATIONS`, kinds
  randomization.py  `randomization.*` in gin, applied to labels and images
"""

from rethink_keras.data.randomization.labels import LABEL_RANDOMIZATIONS, DrawnLabels, LabelRandomization
from rethink_keras.data.randomization.pixels import PIXEL_RANDOMIZATIONS, PixelPermutation, PixelRandomization
from rethink_keras.data.randomization.randomization import Randomization, RandomizedLabels
