"""The models: one file a family, each a function that builds a Keras model with logits out.

Importing this package makes the builders known to gin.

  inception.py                     small Inception, with and without batch normalization (CIFAR-10)
  alexnet.py                       small AlexNet (CIFAR-10)
  mlp.py                           perceptrons of any widths
  wide_resnet.py                   wide residual networks, as in the companion demonstration code
  inception_v3.py                  Inception V3 (ImageNet)
  family.py                        what the builders share: gin, default regularization, checks
  local_response_normalization.py  the layer small AlexNet needs
  weight_decay.py                  the paper's coupled weight decay
  operations.py                    multiply-adds of a model
  copies.py                        copies of a network, among them the plain one that is saved
"""

from rethink_keras.models.alexnet import small_alexnet
from rethink_keras.models.family import DefaultRegularization, Family, family
from rethink_keras.models.inception import small_inception
from rethink_keras.models.inception_v3 import inception_v3
from rethink_keras.models.layers.local_response_normalization import LocalResponseNormalization
from rethink_keras.models.mlp import mlp
from rethink_keras.models.operations import multiply_adds
from rethink_keras.models.weight_decay import with_weight_decay
from rethink_keras.models.wide_resnet import wide_resnet

__all__ = [
    "DefaultRegularization",
    "Family",
    "LocalResponseNormalization",
    "family",
    "inception_v3",
    "mlp",
    "multiply_adds",
    "small_alexnet",
    "small_inception",
    "wide_resnet",
    "with_weight_decay",
]
