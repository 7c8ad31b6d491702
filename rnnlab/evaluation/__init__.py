"""Scoring networks: the forward pass over whole data sets, naive baselines, and prediction with a finished run."""
