"""Ray's talk kept off the terminal, and its habits that are none of a job's."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

_SETTINGS = {
    "RAY_AIR_NEW_OUTPUT": "0",  # Tune prints tables even at verbosity 0 otherwise
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # result files of each trial: what counts, comes back to us
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # who runs the job decides what Ctrl-C means
    "TUNE_FORCE_TRIAL_CLEANUP_S": "2",  # seconds a trial that is told to stop may go on
}
_LOGGERS = ("ray", "ray.data", "ray.tune", "ray.air", "ray.train")


@contextmanager
def quiet() -> Iterator[None]:
    """Have Ray Data and Ray Tune say nothing while the block runs; failures come back as errors anyway.

    Imports both, in the block before which Ray has been started: they set their loggers up when they are imported.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"ray\b")  # of its own deprecations
        for name in ("ray.data", "ray.tune"):
            import_module(name)
        with _settings():
            yield


@contextmanager
def _settings() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _SETTINGS}
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    os.environ.update(_SETTINGS)
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
