"""Features of images for kernel interpolation, a module each. Importing this package makes them known to gin."""

from rethink_keras.theory.features import gabor_wavelets, random_convolutions
