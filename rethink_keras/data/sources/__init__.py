"""Data sets by name: their original images, labels and ids, before any randomization.

A new data set is a subclass of `Source` in a module of its own, registered in `SOURCES`. Image classification sets of
TFDS and NumPy archives need no code.

  dataset.py      `dataset.*` in gin: a set by its name, and how many of its examples
  source.py       the base class, the registry
  image_set.py    a split in memory
  streamed_set.py a split that is read from disk in every epoch
  tfds_source.py  sets that TFDS prepares and that fit into memory: MNIST, Fashion-MNIST, CIFAR-10 and CIFAR-100
  tfds_set.py     any other image classification set of TFDS, in memory or streamed
  arrays.py       NumPy archives, as `bin/data export` writes them
  digits.py       the digits that come with scikit-learn
  imagenet.py     ImageNet, which is streamed
  preparation.py  download, or preparation from archives on disk
"""

from rethink_keras.data.sources import arrays, digits, imagenet, tfds_source
from rethink_keras.data.sources.dataset import Dataset, find_source
from rethink_keras.data.sources.image_set import ImageSet, PixelStatistics
from rethink_keras.data.sources.source import SOURCES, Source
from rethink_keras.data.sources.streamed_set import StreamedSet
