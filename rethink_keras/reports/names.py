"""Names of networks and variants as the report shows them."""

from __future__ import annotations

NETWORKS = {
    "inception": "small Inception",
    "inception_no_bn": "small Inception w/o BatchNorm",
    "alexnet": "small AlexNet",
    "mlp_3x512": "MLP 3×512",
    "mlp_1x512": "MLP 1×512",
    "inception_v3": "Inception V3",
}
VARIANTS = {
    "plain": "no regularizers",
    "true_labels": "true labels",
    "random_labels": "random labels",
    "shuffled_pixels": "shuffled pixels",
    "random_pixels": "random pixels",
    "gaussian_pixels": "Gaussian",
    "weight_decay": "weight decay",
    "crop": "random crop",
    "flip_rotate": "flip and rotation",
}
_CORRUPTION = "corruption_"


def network_name(network: str) -> str:
    """Returns a network's name, such as 'small Inception'."""
    return NETWORKS.get(network, network.replace("_", " "))


def variant_name(variant: str) -> str:
    """Returns a variant's name, such as 'random labels + weight decay'."""
    if variant.startswith(_CORRUPTION):
        return f"corruption {variant.removeprefix(_CORRUPTION)}"
    return " + ".join(VARIANTS.get(part, part.replace("_", " ")) for part in variant.split("+"))


def corruption_level(variant: str) -> float | None:
    """Returns the level of a variant such as 'corruption_0.3', and None for others."""
    try:
        level = float(variant.removeprefix(_CORRUPTION))
    except ValueError:
        return None
    return level if 0 <= level <= 1 else None
