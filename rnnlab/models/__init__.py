"""Symbolic recurrent networks: PyTensor graphs, and the NumPy arrays their weights start from."""
