"""Packs the folder gin/ into the package as rethink_keras/gin; pyproject.toml has everything else."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["rethink_keras*"]), "rethink_keras.gin"],
    package_dir={"rethink_keras.gin": "gin"},
    package_data={
        "rethink_keras.gin": ["**/*.gin"],
        "rethink_keras.reports": ["data/*.json", "templates/*"],
    },
)
