"""Which variants share compiled functions: those that differ only in values, not in what is computed with them."""

from collections.abc import Mapping
from typing import Any

from rnnlab.variant_key import WITHOUT_EFFECT, canonical_json

# Keys whose values are inputs of the compiled functions, or never reach them. A key that is missing here costs a
# compilation at most; one that should be missing costs nothing but a poorer order of the variants.
_ONLY_VALUES = {
    "": ("seed",),
    "data": ("seed", "resample_each_epoch", "standardise"),
    "model": (
        "initializer",
        "initializer_scale",
        "recurrent_initializer",
        "recurrent_scale",
        "n_nonzero",
        "forget_bias",
    ),
    "training": (
        *("learning_rate", "schedule", "decay_updates", "momentum", "rho", "beta1", "beta2", "epsilon"),
        *("max_epochs", "input_noise_std", "log_updates", "log_dynamics"),
    ),
    "early_stopping": ("patience", "min_delta", "patience_increase", "improvement_threshold"),
    "checkpoint": ("every_seconds", "directory"),
}


def structure(experiment: str, config: Mapping[str, Any]) -> str:
    """A text that is equal for variants which the same compiled functions serve."""
    sections = {name: _without(value, _ONLY_VALUES.get(name, ())) for name, value in config.items()}
    training = sections.get("training")
    if isinstance(training, dict):
        # Whether there is a clip or a penalty is structure, how strong it is is not.
        if "clip_norm" in training:
            training["clip_norm"] = training["clip_norm"] is not None
        if "omega" in training:
            training["omega"] = bool(training["omega"])
        for penalty in ("l1", "l2"):
            if isinstance(training.get(penalty), Mapping):
                training[penalty] = {group: bool(strength) for group, strength in training[penalty].items()}
    return canonical_json([experiment, _without(sections, (*_ONLY_VALUES[""], *WITHOUT_EFFECT))])


def _without(section: Any, names: tuple[str, ...]) -> Any:
    if not isinstance(section, Mapping):
        return section
    return {name: value for name, value in section.items() if name not in names}
