"""`python -m rnnlab`: the rnnlab command."""

from rnnlab.cli import main

if __name__ == "__main__":
    main()
