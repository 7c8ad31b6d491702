"""One run in PyTorch, configured by Hydra, which keeps the config; its curves go to a JSON file beside it.

`python hydra_run.py --multirun hydra/launcher=joblib hydra.launcher.n_jobs=2 seed=0,1,2 n_epochs=40`
"""

import json
from dataclasses import dataclass
from pathlib import Path

import hydra
import torch
import torch_training
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig


@dataclass
class Config:
    """What may be set."""

    seed: int = 0
    n_epochs: int = 40
    n_hidden: int = 10
    batch_size: int = 20
    optimizer: str = "adam"
    learning_rate: float = 0.005


ConfigStore.instance().store(name="config", node=Config)


@hydra.main(version_base=None, config_path=None, config_name="config")
def main(config):
    """Train and write curves, result and weights into the run's folder."""
    folder = Path(HydraConfig.get().runtime.output_dir)
    curves = []
    weights, test_loss = torch_training.train(
        config.seed,
        lambda step, metrics: curves.append({"step": step, **metrics}),
        config.n_epochs,
        config.n_hidden,
        config.batch_size,
        config.optimizer,
        config.learning_rate,
    )
    torch.save(weights, folder / "weights.pt")
    (folder / "result.json").write_text(json.dumps({"test_loss": test_loss, "curves": curves}))


if __name__ == "__main__":
    main()
