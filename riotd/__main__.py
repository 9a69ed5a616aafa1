"""Where `riotd` and `python -m riotd` begin."""

from riotd.cli.verbs import riotd


def main() -> None:
    """Run the command line; leaves by SystemExit with 0, 1, 2 (wrong usage) or 78 (wrong config)."""
    riotd(prog_name="riotd")


if __name__ == "__main__":
    main()
