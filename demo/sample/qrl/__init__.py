"""Quantum Resonance Lattice: the sample deployment, three services over one database."""
