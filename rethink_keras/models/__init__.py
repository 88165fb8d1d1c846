"""Model families: functions that build a Keras model from images to logits.

A new family is a function in a module of its own, decorated by `family` and imported here. Importing this package makes
the families known to gin.

  alexnet.py       small AlexNet (CIFAR-10)
  inception.py     small Inception, with and without batch normalization (CIFAR-10)
  inception_v3.py  Inception V3 (ImageNet)
  mlp.py           perceptrons of any widths
  wide_resnet.py   wide residual networks, as in the companion code
  family.py        the decorator, default regularization, checks
  layers/          layers of our own
  weight_decay.py  the paper's coupled weight decay
  precision.py     Keras's numeric precision
  operations.py    counts of multiply-adds
  nested.py        layers of nested models
  copies.py        copies of a network, such as the plain one that is saved
"""

from rethink_keras.models.alexnet import small_alexnet
from rethink_keras.models.inception import small_inception
from rethink_keras.models.inception_v3 import inception_v3
from rethink_keras.models.mlp import mlp
from rethink_keras.models.wide_resnet import wide_resnet
