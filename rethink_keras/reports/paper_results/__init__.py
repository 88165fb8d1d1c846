"""The paper's tables and figures, a module each, in the order of the report."""

# isort: off
from rethink_keras.reports.paper_results.base import PAPER_RESULTS, PaperResult
from rethink_keras.reports.paper_results import table1, table2, table4  # noqa: F401
from rethink_keras.reports.paper_results import figure1a, figure1b_1c, figure2a, figure2b  # noqa: F401
from rethink_keras.reports.paper_results import own  # noqa: F401
# isort: on

__all__ = ["PAPER_RESULTS", "PaperResult"]
