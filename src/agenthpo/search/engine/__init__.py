"""The engine: a Gaussian process, what it believes, and the configuration it would try next."""
