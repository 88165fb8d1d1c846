"""The paper's tables and figures, a module each, in the order of the report."""

# isort: off
from rethink_keras.reports.paper_results.base import PAPER_RESULTS, PaperResult
from rethink_keras.reports.paper_results import table1 as table1
from rethink_keras.reports.paper_results import table2 as table2
from rethink_keras.reports.paper_results import table4 as table4
from rethink_keras.reports.paper_results import figure1a as figure1a
from rethink_keras.reports.paper_results import figure1b_1c as figure1b_1c
from rethink_keras.reports.paper_results import figure2a as figure2a
from rethink_keras.reports.paper_results import figure2b as figure2b
from rethink_keras.reports.paper_results import own as own
# isort: on

__all__ = ["PAPER_RESULTS", "PaperResult"]
