"""Errors that users can cause, each with the exit code of its command, and `DamagedError`.

Exit codes: 0 done, 1 a fault of the program, 2 bad usage or configuration, 3 data not available or damaged, 4
training diverged, 5 the disk of the workdir or of the output is full or failing, 6 two compared runs differ, 7 runs
of a sweep or all trials of a search failed, 8 another worker of a run over several hosts or the chief of a search was
lost, 9 training ran out of memory, 129 / 130 / 143 interrupted by SIGHUP / SIGINT / SIGTERM after saving, 141 the
reader of the output is gone.
"""

from __future__ import annotations

from typing import ClassVar


class UserError(Exception):
    """A mistake in usage or configuration, and the base class of the other errors.

    Attributes:
        sentence: One or two plain sentences that say what is wrong and what to do, without the text that gin and
            other libraries append to an exception's message.
        default_exit_code: Exit code of a command that raises this kind of error.
        exit_code: Exit code of a command that raises this error.
    """

    default_exit_code: ClassVar[int] = 2

    def __init__(self, sentence: str, exit_code: int | None = None):
        super().__init__(sentence)
        self.sentence = sentence
        self.exit_code = self.default_exit_code if exit_code is None else exit_code


class DamagedError(ValueError):
    """A file was read, and its content is not what this project writes.

    It is no `UserError`: the caller knows what can be done, such as to rebuild the file from another one. The message
    is a phrase that says what is wrong, without a full stop.
    """


class DataNotAvailableError(UserError):
    """A data set is neither on disk nor reachable, or what is on disk is damaged."""

    default_exit_code = 3


class DivergedError(UserError):
    """Training reached a loss or a weight that is not finite."""

    default_exit_code = 4


class DiskError(UserError):
    """The disk of the workdir or of the output is full or failing. What was saved before is whole."""

    default_exit_code = 5


class RunsDifferError(UserError):
    """Two compared runs are not the same run."""

    default_exit_code = 6


class RunsFailedError(UserError):
    """Some runs of a sweep failed and the others are done, or all trials of a search failed."""

    default_exit_code = 7


class WorkerLostError(UserError):
    """Another worker of a run over several hosts, or a search's chief, does not answer. What was saved is whole."""

    default_exit_code = 8


class OutOfMemoryError(UserError):
    """Training needs more memory than its device has left. What was saved before is whole."""

    default_exit_code = 9


class StoppedBySignalError(UserError):
    """A signal stopped the run after it had saved."""

    def __init__(self, sentence: str, signal_number: int):
        super().__init__(sentence, exit_code=128 + signal_number)
