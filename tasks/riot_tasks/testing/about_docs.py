"""Is it documented and configured as the contract says?"""

import doctest
import re
import sys
from copy import deepcopy
from inspect import cleandoc, signature

from riot_tasks.testing.cases import Case, run

_SECTION = re.compile(r"^References:\n+((?: +.+\n?)+)", re.MULTILINE)


def has_parameters_as_attributes(case: Case) -> str | None:
    """Its constructor's parameters are its public attributes, and repr shows them."""
    task = case.new()
    for name, parameter in signature(case.cls).parameters.items():
        given = case.params.get(name, parameter.default)
        if not hasattr(task, name) or getattr(task, name) != given:
            return f"{name} was given as {given!r}, the attribute is {getattr(task, name, 'missing')!r}"
        if f"{name}={given!r}" not in repr(task):
            return f"repr is {task!r}, without {name}={given!r}"
    return None


def leaves_its_parameters_alone(case: Case) -> str | None:
    """It changes neither the parameters it was given, which others of its kind are given too, nor its attributes."""
    params = deepcopy(dict(case.params))
    task = case.cls(**params)
    before = repr(task)
    run(task, case.inputs)
    if repr(params) != repr(dict(case.params)):
        return f"it was given {dict(case.params)!r}, and made {params!r} of that"
    return None if repr(task) == before else f"{before} became {task!r}"


def has_runnable_docs(case: Case) -> str | None:
    """Its docstring has an example that runs, and its references."""
    docs = case.cls.__doc__ or ""
    if not _SECTION.search(cleandoc(docs)):
        return "there is no section References: naming the paper, standard or page it is made after"
    names = vars(sys.modules[case.cls.__module__])
    tests = doctest.DocTestFinder(recurse=False).find(case.cls, case.cls.__name__, globs=names)
    examples = [example for test in tests for example in test.examples]
    if not any(case.cls.__name__ in example.source for example in examples):
        return f"there is no line that begins with >>> and makes a {case.cls.__name__}"
    if not any(example.want for example in examples):
        return "its example shows no result"
    said: list[str] = []
    for test in tests:
        doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    return "".join(said) or None
