"""What is to be learned: data generators in plain NumPy, and the sequences and splits that they make."""
