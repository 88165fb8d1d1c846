"""Whatever a file of a run or a sweep holds, a report is made or a plain sentence told."""

import json
import tempfile
from pathlib import Path

from absl.testing import absltest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rethink_keras.errors import UserError
from rethink_keras.reports import artefacts, page, tables
from rethink_keras.reports.collect import collect
from rethink_keras.reports.sections import Section
from tests.reports import made_sweeps as made

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


def mutate(draw, value):
    """A JSON value with one place of it replaced, removed or added."""
    if isinstance(value, dict) and value and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(value)))
        if draw(st.integers(0, 3)) == 0:
            return {key: inner for key, inner in value.items() if key != name}
        return {**value, name: mutate(draw, value[name])}
    if isinstance(value, list) and value and draw(st.booleans()):
        return [mutate(draw, value[0]), *value[1:]]
    return draw(JSON)


def render(folder):
    """All of a report but its pictures."""
    found = collect(folder)
    sections = []
    for sweep in found.sweeps:
        table = tables.build(sweep, artefacts.of(sweep.manifest.artefact))
        tables.to_csv(table)
        sections.append(Section("slug", sweep, table, ()))
    page.markdown(found, sections)
    page.html(found, sections)


class FuzzTest(absltest.TestCase):
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
    @given(st.data())
    def test_json(self, data):
        artefact, variant = data.draw(
            st.sampled_from(
                [("table1", "plain"), ("table4", "random_labels+crop"), ("figure1b_1c", "corruption_0.0")]
            )
        )
        with tempfile.TemporaryDirectory() as name:
            plans = [made.plan("inception", variant, seed) for seed in range(2)]
            folder = made.sweep(Path(name) / "sweep", artefact, plans)
            for plan in plans:
                made.run(folder, plan, made.rows(3, (1.0, 0.5), fit=2))
            files = [folder / "sweep.json", folder / plans[0].name / "summary.json"]
            path = data.draw(st.sampled_from(files))
            path.write_text(json.dumps(mutate(data.draw, json.loads(path.read_text()))))
            self.made_or_told(Path(name))

    @settings(max_examples=20, deadline=None)
    @given(st.data())
    def test_metrics(self, data):
        with tempfile.TemporaryDirectory() as name:
            plan = made.plan("inception", "random_labels+crop")
            folder = made.sweep(Path(name) / "sweep", "table4", [plan])
            path = made.run(folder, plan, made.rows(3, (1.0, 0.5), fit=2)) / "metrics.csv"
            content = bytearray(path.read_bytes())
            at = data.draw(st.integers(0, len(content) - 1))
            content[at : at + data.draw(st.integers(0, 200))] = data.draw(st.binary(max_size=8))
            path.write_bytes(bytes(content))
            self.made_or_told(Path(name))

    def made_or_told(self, folder):
        try:
            render(folder)
        except UserError as error:
            self.assertNotEmpty(error.sentence)


if __name__ == "__main__":
    absltest.main()
