"""Minibatch training: optimizers, the compiled epoch, early stopping, and the loop that joins them."""
