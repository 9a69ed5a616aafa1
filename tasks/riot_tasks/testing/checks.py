"""The promises of the `Task` contract, each as a function that gives what breaks it, or None.

A function's docstring is its sentence in the message.
"""

from collections.abc import Callable

from riot_tasks.testing.about_docs import has_parameters_as_attributes, has_runnable_docs, leaves_its_parameters_alone
from riot_tasks.testing.about_input import (
    forgets_what_it_refused,
    leaves_its_input_alone,
    makes_something_of_its_examples,
    refuses_with_bad_record,
    says_why_it_refuses,
    survives_its_input,
)
from riot_tasks.testing.about_memory import stays_bounded, takes_no_memory_beside
from riot_tasks.testing.about_output import (
    flushes_once,
    gives_finite_numbers,
    gives_records_with_its_inputs_id,
    keeps_its_pattern,
    leaves_its_results_alone,
    says_what_it_says_aside,
)
from riot_tasks.testing.about_outside import leaves_the_same_outside_after_a_crash, leaves_the_same_outside_on_replay
from riot_tasks.testing.about_state import (
    goes_on_after_every_restore,
    goes_on_after_restore,
    is_stateless_if_it_says_so,
    keeps_snapshots_apart,
    pickles,
    replays,
    shares_nothing,
    snapshots_plain_data,
    works_in_any_thread,
)
from riot_tasks.testing.cases import Case

CHECKS: tuple[Callable[[Case], str | None], ...] = (
    has_parameters_as_attributes,
    leaves_its_parameters_alone,
    has_runnable_docs,
    makes_something_of_its_examples,
    pickles,
    snapshots_plain_data,
    goes_on_after_restore,
    goes_on_after_every_restore,
    keeps_snapshots_apart,
    leaves_its_input_alone,
    leaves_its_results_alone,
    shares_nothing,
    replays,
    works_in_any_thread,
    leaves_the_same_outside_on_replay,
    leaves_the_same_outside_after_a_crash,
    refuses_with_bad_record,
    says_why_it_refuses,
    forgets_what_it_refused,
    survives_its_input,
    gives_records_with_its_inputs_id,
    gives_finite_numbers,
    keeps_its_pattern,
    says_what_it_says_aside,
    is_stateless_if_it_says_so,
    flushes_once,
    stays_bounded,
    takes_no_memory_beside,
)
"""What is checked, in this order; each gives what is wrong, or None."""
