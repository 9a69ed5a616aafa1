"""The parts of a Google-style docstring: prose, arguments, example."""

import re
from inspect import cleandoc

_SECTION = re.compile(r"(Args|Example|Examples|References|Raises|Yields|Returns|Attributes):$")


def sections(docstring: str | None) -> dict[str, str]:
    """Section name to its text, dedented; "" is the prose around them."""
    found: dict[str, list[str]] = {"": []}
    section = ""
    for line in cleandoc(docstring or "").splitlines():
        if header := _SECTION.match(line):
            section = header[1]
            found.setdefault(section, [])
            continue
        if line and not line.startswith(" "):
            section = ""
        found[section].append(line)
    return {name: cleandoc("\n" + "\n".join(lines)).strip("\n") for name, lines in found.items()}


def arguments(docstring: str | None) -> dict[str, str]:
    """Argument to its description, on one line."""
    text = sections(docstring).get("Args", "")
    found = re.findall(r"^(\w+)(?: \([^)]*\))?: (.*(?:\n .*)*)", text, re.MULTILINE)
    return {name: re.sub(r"\s+", " ", said) for name, said in found}
