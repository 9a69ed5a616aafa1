# The project's commands; `./scripts/setup dev` brings just itself as .venv/bin/just.

bin := ".venv/bin"

# what there is
_list:
    @{{ bin }}/just --list --unsorted

# everything CI does
ci:
    ./.ci/run

# format; `just fmt --check` only looks
fmt *args:
    {{ bin }}/ruff format {{ args }} .

# every rule of ruff
lint *args:
    {{ bin }}/ruff check {{ args }} .

# mypy, strict
types:
    {{ bin }}/mypy

# imports go down the floors only
floors:
    {{ bin }}/lint-imports

# the tests; arguments go to pytest
test *args:
    ./scripts/test {{ args }}

# the tests under coverage
cov *args:
    ./scripts/setup dev
    {{ bin }}/coverage run -m pytest {{ args }}
    {{ bin }}/coverage report --skip-covered --show-missing

# riotd next to its peers: bench, bench latency, bench soak
bench *args:
    ./scripts/bench {{ args }}

# the whole pipeline in one terminal
demo *args:
    ./scripts/demo {{ args }}

# Not uv.lock: it records where each file was downloaded, and that is each machine's own setting.
# Flink apart: it would hold back a dozen libraries for everybody, Beam by sixteen releases.
pin := "uv pip compile pyproject.toml --universal --upgrade --quiet --no-emit-index-url --no-emit-find-links --no-annotate --no-header"
shared := "--extra learn --extra plot --extra stores"

# the newest versions of everything into constraints.txt and constraints-flink.txt (needs uv)
constraints:
    {{ pin }} {{ shared }} --extra ray --extra train --extra demo --extra beam --group dev --output-file constraints.txt
    {{ pin }} {{ shared }} --extra flink --output-file constraints-flink.txt
