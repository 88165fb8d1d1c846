"""Random bits that are a pure function of (seed, stream, epoch, id).

They come from the raw output of Philox 4x64-10 (Salmon et al., SC 2011) as numpy provides it. Philox is a
block function of (key, counter), so that any block can be computed alone, and its raw output is a published
standard that no library version changes; `numpy.random.Generator` methods promise no such thing.

The key is (seed, stream). There are two layouts of the counter, least significant word first:
  by id:    (id, epoch, 0, 0), one block of four words for each example; consecutive ids are consecutive
            blocks, so that a whole data set is one call;
  in depth: (block, id, epoch, 1), as many words as one example needs.
"""

from __future__ import annotations

import enum
import functools
import statistics

import numpy as np

WORDS_PER_BLOCK = 4


class Stream(enum.IntEnum):
    """What bits are drawn for. The numbers are part of the golden values: never change or reuse one."""

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


def _philox(seed: int, stream: Stream, counter: tuple[int, int, int, int]) -> np.random.Philox:
    # A counter's type decides nothing here: numpy takes the words as they are.
    return np.random.Philox(
        key=np.array([seed, stream], dtype=np.uint64), counter=np.array(counter, dtype=np.uint64)
    )


def words_by_id(seed: int, stream: Stream, ids: np.ndarray, epoch: int = 0) -> np.ndarray:
    """Four random words for each example id.

    Args:
        seed: below 2**64.
        stream: what the bits are for.
        ids: int array `[examples]`, not negative.
        epoch: epoch that the bits belong to; 0 for what is drawn once.

    Returns:
        uint64 array `[examples, 4]`; row k depends on `ids[k]` alone, not on the other ids.
    """
    ids = np.asarray(ids, dtype=np.int64)
    if not ids.size:
        return np.zeros((0, WORDS_PER_BLOCK), np.uint64)
    first, last = int(ids.min()), int(ids.max())
    words = _philox(seed, stream, (first, epoch, 0, 0)).random_raw(WORDS_PER_BLOCK * (last - first + 1))
    blocks = words.reshape(-1, WORDS_PER_BLOCK)
    if len(blocks) == len(ids) and np.array_equal(ids, np.arange(first, last + 1)):
        return blocks
    return blocks[ids - first]


def words_in_depth(seed: int, stream: Stream, example_id: int, count: int, epoch: int = 0) -> np.ndarray:
    """`count` random words of one example: uint64 array `[count]`."""
    return _philox(seed, stream, (0, example_id, epoch, 1)).random_raw(count)


def uniform(words: np.ndarray) -> np.ndarray:
    """Words as float64 numbers in [0, 1), a multiple of 2**-53 each."""
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def integers(words: np.ndarray, bound: int) -> np.ndarray:
    """Words as int64 numbers in [0, bound), for a bound up to 2**31; the bias is below bound / 2**32."""
    return ((words >> np.uint64(32)) * np.uint64(bound) >> np.uint64(32)).astype(np.int64)


def permutation(seed: int, stream: Stream, example_id: int, size: int, epoch: int = 0) -> np.ndarray:
    """A uniform random permutation of `range(size)`: int64 array `[size]`, the order of random words."""
    return np.argsort(words_in_depth(seed, stream, example_id, size, epoch), kind="stable")


def normal(seed: int, stream: Stream, example_id: int, size: int) -> np.ndarray:
    """`size` draws from N(0, 1): float32 array `[size]`.

    Sixteen bits choose one of 65,536 equally likely quantiles, so that the values are the same to the bit
    everywhere: logarithms and cosines differ between processors, a table does not. Their variance is
    1 - 2e-5 and the largest value 4.32.
    """
    halves_per_word = 4
    words = words_in_depth(seed, stream, example_id, -(-size // halves_per_word))
    return _normal_quantiles()[words.astype("<u8", copy=False).view("<u2")[:size]]


@functools.cache
def _normal_quantiles() -> np.ndarray:
    count = 2**16
    inverse = statistics.NormalDist().inv_cdf
    upper = np.array([inverse((k + 0.5) / count) for k in range(count // 2, count)], dtype=np.float32)
    return np.concatenate([-upper[::-1], upper])
