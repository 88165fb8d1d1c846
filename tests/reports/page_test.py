"""The page in a real browser: Chromium without a screen, at the widths of a phone and a desk."""

import json

from absl.testing import absltest, parameterized

from rethink_keras.reports import report
from tests import browser
from tests.reports import made_sweeps as made

PHONE, DESK = 390, 1200


@browser.needs_chromium
class PageTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = browser.class_folder(cls)
        made.all_kinds(folder / "runs")
        report.write(folder / "runs", folder / "out")
        cls.address = (folder / "out" / "index.html").as_uri()
        cls.browser = browser.start(folder / "profile")
        cls.addClassCleanup(cls.browser.quit)

    def open(self, width, scheme="light"):
        """Opens the page anew; returns the browser's script caller."""
        self.browser.get_log("performance")
        self.browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == PHONE},
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        self.browser.get(self.address)
        return self.browser.execute_script

    @parameterized.parameters(PHONE, DESK)
    def test_nothing_overflows_the_page(self, width):
        script = self.open(width)
        self.assertEqual(script("return innerWidth"), width)
        self.assertLessEqual(script("return document.documentElement.scrollWidth"), width)
        wide = script(
            """return [...document.querySelectorAll('body *')]
               .filter(e => !e.closest('.scroll, pre, svg') && e.getBoundingClientRect().right > innerWidth + 1)
               .map(e => e.outerHTML.slice(0, 80))"""
        )
        self.assertEqual(wide, [])
        script("document.querySelectorAll('details').forEach(d => d.open = true)")
        self.assertLessEqual(script("return document.documentElement.scrollWidth"), width)

    @parameterized.parameters(PHONE, DESK)
    def test_tables_scroll_inside_themselves_with_their_rows_names_in_sight(self, width):
        script = self.open(width)
        box, left = script(
            """const s = document.querySelector('#table1 .scroll'); s.scrollLeft = 200;
               const th = s.querySelector('th[scope=row]');
               return [[s.scrollWidth > s.clientWidth, s.scrollLeft], th.getBoundingClientRect().left
                       - s.getBoundingClientRect().left]"""
        )
        if width == PHONE:
            self.assertEqual(box, [True, 200])
        self.assertBetween(left, 0, 2)

    def test_nothing_is_loaded_from_the_network_and_nothing_goes_wrong(self):
        self.open(DESK)
        messages = [json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance")]
        asked = [
            m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"
        ]
        self.assertIn(self.address, asked)
        self.assertEqual([url for url in asked if not url.startswith(("file:", "data:"))], [])
        self.assertEqual({url for url in asked if url.startswith("file:")}, {self.address})
        self.assertEqual(self.browser.get_log("browser"), [])

    def test_the_cells_are_there(self):
        script = self.open(PHONE)
        rows = script(
            """return [...document.querySelectorAll('#table1 tbody tr')]
               .map(r => [...r.children].map(c => c.innerText.trim().replace(/\\s+/g, ' ')))"""
        )
        self.assertLen(rows, 19 + 5)
        self.assertIn(["MLP 1×512"], rows)
        plain = [
            "no regularizers",
            "100.00",
            "100.00 ± 0.00",
            "0.00 yes",
            "50.51",
            "51.00 ± 0.71",
            "+0.49 yes",
        ]
        self.assertIn([*plain, "53.00 ± 0.71", "2 of 3"], rows)
        random = ["random labels", "99.34", "99.30 ± 0.00", "−0.04 yes", "10.61", "20.00 ± 0.00", "+9.39 no"]
        self.assertIn([*random, "20.00 ± 0.00", "3 of 3 [1]"], rows)
        self.assertIn("missing", script("return document.querySelector('#figure1a').innerText"))
        self.assertIn("The runs differ in their code version", script("return document.body.innerText"))
        self.assertIn("small: not the paper’s experiment", script("return document.body.innerText"))

    def test_missing_runs_come_with_their_commands(self):
        script = self.open(PHONE)
        script("document.querySelectorAll('details').forEach(d => d.open = true)")
        text = script("return document.querySelector('#table1').innerText")
        self.assertRegex(text, r"missing\s+bin/train --gin_file=gin/table1_alexnet.gin .*--seed=2")
        self.assertIn("bin/sweep --gin_file=gin/sweeps/table1.gin", text)
        self.assertIn("train.epochs = 4", text)
        self.assertIn("A made-up processor", text)
        self.assertIn("2026-11-22", text)

    @parameterized.product(width=(PHONE, DESK), scheme=("light", "dark"))
    def test_the_figures_are_seen(self, width, scheme):
        script = self.open(width, scheme)
        boxes = script(
            """return [...document.querySelectorAll('figure svg')].map(s => {
                 const b = s.getBoundingClientRect(), t = [...s.querySelectorAll('text')];
                 return [b.width, b.height, t.length, Math.min(...t.map(e => e.getBoundingClientRect().height)),
                         getComputedStyle(t[0]).fill]})"""
        )
        self.assertLen(boxes, 4)
        ink = {"light": "rgb(29, 39, 51)", "dark": "rgb(230, 234, 238)"}[scheme]
        for wide, high, texts, smallest, colour in boxes:
            self.assertGreater(wide, 300)
            self.assertGreater(high, 200)
            self.assertGreater(texts, 8)
            self.assertGreater(smallest, 7)
            self.assertEqual(colour, ink)

    @parameterized.parameters("light", "dark")
    def test_text_stands_out_from_its_ground(self, scheme):
        script = self.open(DESK, scheme)
        for selector in ("p.lead", "p.quiet", "td.ours", "td.theirs", ".yes", ".no", ".tag", ".notes p", "a"):
            with self.subTest(selector):
                ink, ground = script(
                    """let e = document.querySelector(arguments[0]); const ink = getComputedStyle(e).color;
                       let g; do { g = getComputedStyle(e).backgroundColor; e = e.parentElement }
                       while (g === 'rgba(0, 0, 0, 0)' && e); return [ink, g]""",
                    selector,
                )
                self.assertGreater(_contrast(ink, ground), 4.5)


def _contrast(one: str, other: str) -> float:
    """Ratio of luminances by WCAG 2, from 1 to 21, of colours such as 'rgb(1, 2, 3)'."""

    def luminance(colour):
        shares = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
        return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


if __name__ == "__main__":
    absltest.main()
