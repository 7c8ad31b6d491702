"""Many runs: a specification of a space of configs, its variants, and their execution."""
