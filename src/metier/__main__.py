"""``python -m metier``: the same door as the command ``metier``; it knows nothing else."""

from __future__ import annotations

from metier.cli import main

if __name__ == "__main__":
    main()
