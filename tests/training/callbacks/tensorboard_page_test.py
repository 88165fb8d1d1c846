"""A sweep's runs in a real TensorBoard in a real browser: Chromium without a screen."""

import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from absl.testing import absltest

from tests import browser
from tests.training.small_runs import run

RUNS = {
    "half": ("randomization.labels = 'partially_corrupted'", "randomization.corruption = 0.5"),
    "random": ("randomization.labels = 'random'", "train.learning_rate = 0.1"),
}
WAIT_SECONDS = 30
SCREENSHOTS = os.environ.get("SCREENSHOTS")  # a folder to keep them in, for eyes
DEEP = """
  const found = [];
  const visit = node => {
    if (node.nodeType === 3) { if (node.textContent.trim()) found.push(node.textContent.trim()); return; }
    if (['SCRIPT', 'STYLE', 'TEMPLATE'].includes(node.nodeName)) return;
    if (node.shadowRoot) visit(node.shadowRoot);
    node.childNodes.forEach(visit);
  };
  visit(document.body);
  return found.join(' ');
"""  # the text of a page, that of shadow roots included
PICTURES = """
  const found = [];
  const visit = node => {
    if (node.nodeName === 'IMG' && node.src.includes('individualImage'))
      found.push([node.src, node.naturalWidth, node.naturalHeight]);
    if (node.shadowRoot) visit(node.shadowRoot);
    node.childNodes.forEach(visit);
  };
  visit(document.body);
  return found;
"""


@browser.needs_chromium
class TensorBoardPageTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = browser.class_folder(cls)
        for name, bindings in RUNS.items():
            run(folder / "sweep" / name, "train.tensorboard = True", *bindings)
        command = [sys.executable, "-m", "tensorboard.main", "--host=127.0.0.1", "--port=0"]
        server = subprocess.Popen(
            [*command, f"--logdir={folder / 'sweep'}"], stderr=subprocess.PIPE, text=True
        )
        cls.addClassCleanup(server.communicate)
        cls.addClassCleanup(server.terminate)
        cls.address = next(
            found[1] for line in server.stderr if (found := re.search(r" at (http:\S+)", line))
        )
        cls.browser = browser.start(folder / "profile", "--window-size=1500,1100")
        cls.addClassCleanup(cls.browser.quit)

    def open(self, tab, *expected):
        """Opens a tab and waits until it shows some texts; returns all of its text."""
        self.browser.get("about:blank")
        self.browser.get(f"{self.address}#{tab}")
        until = time.monotonic() + WAIT_SECONDS
        text = ""
        while time.monotonic() < until:
            text = self.browser.execute_script(DEEP)
            if all(part in text for part in expected):
                break
            time.sleep(0.3)
        for part in expected:
            self.assertIn(part, text)
        return text

    def pixels(self, name):
        """What is on the screen: uint8 `[height, width, channels]`."""
        time.sleep(1)  # lines are drawn after the text
        png = self.browser.get_screenshot_as_png()
        if SCREENSHOTS:
            (Path(SCREENSHOTS) / f"{name}.png").write_bytes(png)
        from matplotlib import image

        return (image.imread(io.BytesIO(png)) * 255).astype(int)

    def test_scalars(self):
        self.open(
            "scalars", "tag: accuracy", "half/tensorboard/train", "random/tensorboard/test", "accuracy_on"
        )
        self.assertGreater(_colours(self.pixels("scalars")[150:420, 380:720]), 2)

    def test_images(self):
        self.open("images", "tag: confusion/corrupted", "tag: first_batch", "confusion/clean")
        self._click_by_text("Show actual image size")
        until = time.monotonic() + WAIT_SECONDS
        found = []
        while time.monotonic() < until and not (found and all(width for _, width, _ in found)):
            found = self.browser.execute_script(PICTURES)
        shapes = {(width, height) for _, width, height in found}
        self.assertEqual(shapes, {(378, 423), (999, 261)})  # of confusions and of first batches
        self.assertGreater(_colours(self.pixels("images")[150:, 380:]), 1)

    def test_hyperparameters_of_both_runs_are_one_table(self):
        asked = ("randomization.labels", "train.learning_rate", "partially_corrupted", "mlp.hidden")
        self.open("hparams", *asked, "test.accuracy", "best_test_accuracy", "sweep/half", "sweep/random")
        self.pixels("hparams")

    def test_configuration(self):
        self.open("text", "tag: configuration", "mlp.hidden = '32'", "randomization.corruption = 0.5")
        self.pixels("text")

    def _click_by_text(self, words):
        self.browser.execute_script(
            """const visit = node => {
                 if (node.shadowRoot) visit(node.shadowRoot);
                 if (node.nodeName === 'PAPER-CHECKBOX' && node.textContent.includes(arguments[0])) node.click();
                 node.childNodes.forEach(visit);
               };
               visit(document.body);""".replace("arguments[0]", repr(words))
        )


def _colours(pixels) -> int:
    """How many colours, far from grey, at least 30 pixels have."""
    rgb = pixels[..., :3].reshape(-1, 3)
    colourful = rgb[np.ptp(rgb, axis=1) > 80] // 32
    return sum(count >= 30 for count in np.unique(colourful, axis=0, return_counts=True)[1])


if __name__ == "__main__":
    absltest.main()
