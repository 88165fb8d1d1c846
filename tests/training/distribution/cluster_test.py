import json
import os
from unittest import mock

from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.training.distribution import cluster

TWO = ["host1:2222", "host2:2222"]


def described(text):
    with mock.patch.dict(os.environ, {"TF_CONFIG": text if isinstance(text, str) else json.dumps(text)}):
        return cluster.from_environment()


def config(cluster=None, task=None):
    return {
        "cluster": {"worker": TWO} if cluster is None else cluster,
        "task": {"type": "worker", "index": 0} if task is None else task,
    }


class ClusterTest(parameterized.TestCase):
    def test_workers(self):
        found = described(config(task={"type": "worker", "index": 1}))
        self.assertEqual((found.addresses, found.index), (tuple(TWO), 1))
        self.assertEqual(found.leader, "/job:worker/replica:0/task:0")

    def test_a_chief_is_the_first(self):
        jobs = {"worker": TWO, "chief": ["10.0.0.1:1"]}
        found = described(config(jobs, {"type": "worker", "index": 1}))
        self.assertEqual((found.addresses, found.index), (("10.0.0.1:1", *TWO), 2))
        self.assertEqual(found.jobs, (("chief", 1), ("worker", 2)))
        self.assertEqual(found.leader, "/job:chief/replica:0/task:0")
        self.assertEqual(described(config(jobs, {"type": "chief", "index": 0})).index, 0)

    def test_one_alone_is_none(self):
        self.assertIsNone(described(config({"worker": TWO[:1]})))
        self.assertIsNone(described(""))

    @parameterized.parameters(
        ("no json", "is not JSON"),
        ("[1]", "names no cluster"),
        ({}, "names no cluster"),
        (config({}), "names no cluster"),
        (config({"ps": TWO, "worker": TWO}), "of the kind 'ps'"),
        (config({"worker": "host1:2222"}), "no list of addresses for 'worker'"),
        (config({"worker": []}), "no list of addresses"),
        (config({"worker": ["host1"]}), "'host1', which is not of the form host:port"),
        (config({"worker": [7, 8]}), "the address 7"),
        (config({"worker": [TWO[0], TWO[0]]}), "an address twice"),
        (config({"chief": TWO}), "more than one chief"),
        (config(task={}), "does not name the task"),
        (config(task=[]), "does not name the task"),
        (config(task={"type": "worker", "index": 2}), "names this process worker 2, and has 2"),
        (config(task={"type": "worker", "index": "0"}), "this process worker '0'"),
        (config(task={"type": "worker", "index": True}), "this process worker True"),
        (config(task={"type": "chief", "index": 0}), "a 'chief', which its cluster does not have"),
    )
    def test_what_cannot_be_used(self, text, reason):
        with self.assertRaisesRegex(UserError, f"TF_CONFIG .*{reason}.* Write it like"):
            described(text)


if __name__ == "__main__":
    absltest.main()
