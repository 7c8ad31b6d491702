"""One run in PyTorch, tracked by MLflow in files: `python mlflow_run.py FOLDER SEED NAME=VALUE ...`. One process a run.

Without a seed it makes the experiment in the folder, which two runs that begin at once would both try.
"""

import os
import sys
import tempfile

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # today's MLflow asks for a database unless told so

import mlflow
import torch
import torch_training

TYPES = {"n_epochs": int, "n_hidden": int, "batch_size": int, "optimizer": str, "learning_rate": float}


def main(seed, *words):
    """Train and record parameters, curves, the result and the weights."""
    settings = dict(word.split("=") for word in words)
    with mlflow.start_run():
        mlflow.log_params({"seed": seed, **settings})
        typed = {name: TYPES[name](value) for name, value in settings.items()}
        weights, test_loss = torch_training.train(
            int(seed), lambda step, metrics: mlflow.log_metrics(metrics, step=step), **typed
        )
        mlflow.log_metric("test_loss", test_loss)
        with tempfile.TemporaryDirectory() as temporary:
            path = os.path.join(temporary, "weights.pt")
            torch.save(weights, path)
            mlflow.log_artifact(path)


if __name__ == "__main__":
    mlflow.set_tracking_uri(f"file://{sys.argv[1]}")
    mlflow.set_experiment("dot_product")
    if len(sys.argv) > 2:
        main(*sys.argv[2:])
