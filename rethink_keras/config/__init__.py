"""Configuration by gin, strict: an unknown or misspelt name is an error that suggests the nearest known one."""

from rethink_keras.config.configurables import default, example, owners, parameters, reference
from rethink_keras.config.gin_files import find_gin_file
from rethink_keras.config.parsing import clear, parse, parsed
from rethink_keras.config.values import (
    bound,
    defaults,
    fingerprint,
    operative,
    operative_values,
    resolved,
    unused,
)
