"""One run in PyTorch, tracked by MLflow in files: `python mlflow_run.py FOLDER SEED EPOCHS`. One process a run.

Without seed and epochs it makes the experiment in the folder, which two runs that begin at once would both try.
"""

import os
import sys
import tempfile

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # today's MLflow asks for a database unless told so

import mlflow
import torch
import torch_training


def main(seed, n_epochs):
    """Train and record parameters, curves, the result and the weights."""
    with mlflow.start_run():
        mlflow.log_params(
            {"seed": seed, "n_epochs": n_epochs, "n_hidden": 10, "batch_size": 20, "learning_rate": 0.005}
        )
        weights, test_loss = torch_training.train(
            seed, n_epochs, lambda step, metrics: mlflow.log_metrics(metrics, step=step)
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
        main(*map(int, sys.argv[2:]))
