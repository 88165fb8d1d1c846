"""Random bits as a pure function of (seed, stream, epoch, id).

They are the raw output of Philox 4x64-10 (Salmon et al., SC 2011), which numpy provides. Philox encrypts a counter of
four 64-bit words under a key of two, and the result is a block of four random words. So any block can be computed
without the blocks before it, and the output is a published standard. `numpy.random.Generator` is not used: its methods
may draw differently in another version of numpy.

The key is (seed, stream). The counter has two layouts, least significant word first:

  by id:    (id, epoch, 0, 0)       one block of four words for each example. numpy counts up in the first word, so
                                    consecutive ids are consecutive blocks, and a whole data set is one call.
  in depth: (block, id, epoch, 1)   any number of words for one example. numpy counts up the blocks.

The last word keeps the two layouts apart: no block belongs to both.
"""

from __future__ import annotations

import enum
import functools
import statistics

import numpy as np

WORDS_PER_BLOCK = 4


class Stream(enum.IntEnum):
    """The purpose of random bits, so that no two purposes share bits.

    The numbers determine the bits: never change or reuse one. Streams of your own begin at 1000.
    """

    CORRUPTED = 1
    LABEL = 2
    PIXELS_AFFECTED = 3
    SHARED_PERMUTATION = 4
    OWN_PERMUTATION = 5
    GAUSSIAN = 6
    EPOCH_ORDER = 7
    AUGMENTATION = 8
    LANDMARKS = 9
    FILTERS = 10
    PROJECTION = 11
    TARGETS = 12
    INITIAL_WEIGHTS = 13


def _philox(seed: int, stream: int, counter: tuple[int, int, int, int]) -> np.random.Philox:
    # numpy adds one to the counter before the first block, so block k is that of counter k + 1.
    return np.random.Philox(
        key=np.array([seed, stream], dtype=np.uint64), counter=np.array(counter, dtype=np.uint64)
    )


def words_by_id(seed: int, stream: int, ids: np.ndarray, epoch: int = 0) -> np.ndarray:
    """Returns four random words for each example id.

    Args:
        seed: Below 2**64.
        stream: Purpose of the bits, see `Stream`.
        ids: Array of int, `[examples]`, not negative.
        epoch: Epoch that the bits belong to. Bits that are drawn once have 0 for training and 1 for test examples.

    Returns:
        uint64 `[examples, 4]`; row k depends on `ids[k]`, not on the other ids.
    """
    ids = np.asarray(ids, dtype=np.int64)
    if not ids.size:
        return np.zeros((0, WORDS_PER_BLOCK), np.uint64)
    # All blocks from the lowest to the highest id in one call: a call costs as much as a thousand blocks.
    first, last = int(ids.min()), int(ids.max())
    words = _philox(seed, stream, (first, epoch, 0, 0)).random_raw(WORDS_PER_BLOCK * (last - first + 1))
    blocks = words.reshape(-1, WORDS_PER_BLOCK)
    if len(blocks) == len(ids) and np.array_equal(ids, np.arange(first, last + 1)):
        return blocks
    return blocks[ids - first]


def words_in_depth(seed: int, stream: int, example_id: int, count: int, epoch: int = 0) -> np.ndarray:
    """Returns random words for one example: uint64 `[count]`."""
    return _philox(seed, stream, (0, example_id, epoch, 1)).random_raw(count)


def uniform(words: np.ndarray) -> np.ndarray:
    """Returns words as float64 numbers in [0, 1), multiples of 2**-53."""
    # A float64 has 53 bits of precision: the other 11 bits of a word would be rounded, up to 1 in the worst case.
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def integers(words: np.ndarray, bound: int) -> np.ndarray:
    """Returns words as int64 numbers in [0, bound), for a bound up to 2**31.

    A 32-bit number u becomes floor(u * bound / 2**32), in integers, so that the result is the same on every processor.
    The probability of a number differs from 1 / bound by less than 2**-32.
    """
    # The high half of a word, so that the product with a bound fits into 64 bits.
    return ((words >> np.uint64(32)) * np.uint64(bound) >> np.uint64(32)).astype(np.int64)


def permutation(seed: int, stream: int, example_id: int, size: int, epoch: int = 0) -> np.ndarray:
    """Returns a uniform random permutation of `range(size)`: int64 `[size]`, the order of random words."""
    return np.argsort(words_in_depth(seed, stream, example_id, size, epoch), kind="stable")


def normal(seed: int, stream: int, example_id: int, size: int) -> np.ndarray:
    """Returns draws from N(0, 1): float32 `[size]`.

    Sixteen bits choose one of 65,536 equally likely quantiles in a table. The usual transforms take logarithms and
    cosines, whose last bits differ between processors; table lookups are the same everywhere. The variance is 1 - 2e-5
    and the largest value 4.32.
    """
    halves_per_word = 4
    words = words_in_depth(seed, stream, example_id, -(-size // halves_per_word))
    sixteen_bits = words.astype("<u8", copy=False).view("<u2")  # in the same order on big-endian machines
    return _normal_quantiles()[sixteen_bits[:size]]


@functools.cache
def _normal_quantiles() -> np.ndarray:
    """Returns the quantiles of N(0, 1) at (k + 0.5) / 65,536 for k = 0 to 65,535, float32, symmetric about zero."""
    count = 2**16
    inverse = statistics.NormalDist().inv_cdf
    upper = np.array([inverse((k + 0.5) / count) for k in range(count // 2, count)], dtype=np.float32)
    return np.concatenate([-upper[::-1], upper])
