import pytest
from click.testing import CliRunner

from riotd.cli.demo import command


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--full", "--engine", "inline"], "--engine does not go with --full"),
        (["--with", "taxi"], "--with and --train-every go with --full only"),
        (["--train-every", "5s"], "--with and --train-every go with --full only"),
        (["--full", "--with", "grid"], "'grid' is not one of 'city', 'taxi', 'fit'"),
    ],
)
def test_options_that_do_not_go_together(arguments: list[str], what: str) -> None:
    """Options of the one demo are refused for the other, before anything is started."""
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 2
    assert what in done.output
