"""Jobs from end to end, on the session's Ray."""

import gzip
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from riot_tasks import Record, models
from riot_tasks.io.blob_download import BlobDownload
from riot_tasks.models.registry import Registry
from riot_tasks.predict.decision_tree_classify import DecisionTreeClassify
from riot_tasks.predict.notice_parse import NoticeParse
from riotd.cli.train_view import show
from riotd.cli.verbs import riotd
from riotd.errors import ConfigError, EngineError, TransportError
from riotd.training.job import Job
from riotd.training.report import Report
from riotd.training.running import train
from tests.riotd.bounded.bounded_inputs import names
from tests.riotd.training.conftest import Notes
from tests.riotd.training.training_inputs import CITY, NOW, ROWS, kept, recording, records, taxi, tree

pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(300),  # a job imports pandas, scikit-learn and Ray in five processes: 20 s of CPU
    pytest.mark.usefixtures("session_ray"),
]


class Done(NamedTuple):
    """A job that was done, and what it left."""

    folder: Path
    report: Report
    notes: Notes


def run(job: Job, notes: Notes | None = None) -> Report:
    """The job, with somebody who looks on."""
    notes = notes or Notes()
    return train(job, now=NOW, onlooker=notes, stop=notes.stop)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, session_ray: None) -> Done:
    """A tree of a recorded city, in a store and in a file."""
    del session_ray
    folder, notes = tmp_path_factory.mktemp("city"), Notes()
    path = recording(folder / "city.csv")
    job = tree(path, store=f"file://{folder}/models", prefix="site1", output=str(folder / "tree.json"))
    return Done(folder, run(job, notes), notes)


def test_the_model_is_kept_with_its_figures(done: Done) -> None:
    """In the store and in the file, the same; choosing's and the held-out rows' figures stand in it."""
    registry, report = Registry(f"file://{done.folder}/models", "site1"), done.report
    (entry,) = registry.entries("decision_tree", "label")
    assert report.entry == entry
    assert report.url == f"file://{done.folder}/models/{entry.name}"
    assert entry.created == NOW
    model = registry.read(entry)
    assert model.metrics == models.load(str(done.folder / "tree.json")).metrics
    assert {"accuracy", "leaves", "cv_accuracy", "cv_f1", "test_accuracy", "test_f1"} <= model.metrics.keys()
    assert model.training is not None
    assert report.best is not None
    assert model.metrics["cv_accuracy"] == report.best.figures["accuracy"]
    assert model.training.until == report.facts.until
    assert entry.version == report.plain()["version"]


def test_every_trial_was_told_and_seen_through(done: Done) -> None:
    """Four settings, two folds each; the best is none worse than the usual one."""
    report = done.report
    assert [trial.folds for trial in report.trials] == [2, 2, 2, 2]
    assert len({trial.settings for trial in report.trials}) == 4
    assert done.notes.done == 8
    assert done.notes.rows == ROWS
    assert done.notes.made
    assert report.best is not None
    assert report.best.figures["accuracy"] >= report.trials[0].figures["accuracy"]


def test_pred_scores_with_the_model_as_the_job_did(done: Done) -> None:
    """`decision_tree_classify`, given the held-out rows one by one, is right as often as the report says."""
    report = done.report
    assert report.held_out is not None
    assert report.model is not None
    assert report.model.training is not None
    task = DecisionTreeClassify(str(done.folder / "tree.json"))
    complete = [
        values
        for values in records(done.folder / "city.csv")
        if all(isinstance(values.get(name), float | int) for name in (*CITY, "airquality_raw"))
    ]
    assert len(complete) == report.facts.rows
    said = [record.values["class"] for values in complete for record in task.process(Record(1, "d", 0.0, dict(values)))]
    bounds = report.facts.bounds
    truth = [
        max(
            (name for name in bounds if bounds[name] <= values["airquality_raw"]),
            key=lambda name: bounds[name],
            default="BAD",
        )
        for values in complete
    ]
    learnt = report.model.training.rows
    right = sum(one == other for one, other in zip(said[-learnt:], truth[-learnt:], strict=True))
    assert right / learnt == pytest.approx(report.model.metrics["accuracy"])


def _class(bounds: Mapping[str, float], number: float) -> str:
    """The last class that begins at or below a number, or the first."""
    return [name for name, bound in bounds.items() if bound <= number or name == "BAD"][-1]


def test_pred_takes_the_model_when_it_hears_of_it(done: Done) -> None:
    """By notice, from the store, while it runs."""
    store, entry = f"file://{done.folder}/models", done.report.entry
    assert entry is not None
    heard = Record(1, "", 0.0, {"payload": Registry(store, "site1").notice(entry).encode()})
    (notice,) = NoticeParse().process(heard)
    (fetched,) = BlobDownload(store, into="model").process(notice)
    task = DecisionTreeClassify(updates="model", features=CITY)
    list(task.process(fetched))
    (said,) = task.process(Record(2, "dev", 0.0, records(done.folder / "city.csv")[0]))
    assert said.meta["model"] == entry.version


def test_the_summary_says_what_was_learnt_chosen_and_kept(done: Done, capsys: pytest.CaptureFixture[str]) -> None:
    """A labelled line each, and with -v a row for each trial."""
    report = done.report
    assert report.best is not None
    show(report, tree(done.folder / "city.csv"), verbose=True)
    said = capsys.readouterr()
    lines = [line.split(maxsplit=1) for line in said.out.splitlines()]
    assert [first for first, _ in lines if first.isalpha()] == [
        *("history", "learnt", "classes", "trial", "chosen", "folds", "held", "model", "kept", "kept")
    ]
    assert [first for first, _ in lines if first.isdigit()] == ["0", "1", "2", "3"]
    assert f"  chosen    {report.best.settings}" in said.out
    assert said.err == ""


def test_the_summary_of_a_stopped_job_has_the_best_so_far(done: Done, capsys: pytest.CaptureFixture[str]) -> None:
    """And says that nothing is kept."""
    stopped = Report(
        question=done.report.question,
        facts=done.report.facts,
        figure="accuracy",
        trials=done.report.trials,
        best=done.report.trials[1],
        stopped=True,
    )
    show(stopped, tree(done.folder / "city.csv"), verbose=False)
    said = capsys.readouterr().out
    assert "  stopped   after 4 of 4 trials; nothing is kept\n" in said
    assert f"  best      {done.report.trials[1].settings}\n" in said


def test_a_table_gives_what_the_file_gives(done: Done, tmp_path: Path) -> None:
    """The same history and the same seed are the same trials, figures and model, however they were read."""
    url = kept(tmp_path / "t.db")
    report = run(tree(url, table="sysdata", workers=1))
    assert report.facts == done.report.facts
    assert [trial.plain() for trial in report.trials] == [trial.plain() for trial in done.report.trials]
    assert report.model == done.report.model


def test_the_chosen_settings_stand_up_to_riotbenchs(tmp_path: Path) -> None:
    """On taxi trips that had no say, the chosen tree is at least as good as one with RIoTBench's settings."""
    words = ["--features", "trip_time_in_secs,trip_distance", "--target", "fare_amount", "--label", "quantiles"]
    words += ["--trials", "6", "--folds", "3", "--workers", "1", "--json"]
    said = CliRunner().invoke(riotd, ["train", "tree", *taxi(tmp_path), *words])
    assert said.exit_code == 0, said.output
    figures = json.loads(said.stdout)
    held_out = figures["held_out"]
    assert held_out["chosen"]["accuracy"] >= held_out["usual"]["accuracy"]
    assert held_out["chosen"]["accuracy"] > held_out["guess"]["accuracy"] + 0.2
    assert figures["best"]["accuracy"] >= figures["trials"][0]["accuracy"]
    assert "nothing is kept" not in said.stdout


def test_an_end_in_the_middle_keeps_nothing(done: Done, tmp_path: Path) -> None:
    """Neither a model nor a part of one; what is known so far is told."""
    job = tree(
        done.folder / "city.csv",
        store=f"file://{tmp_path}/models",
        output=str(tmp_path / "m.json"),
        trials=30,
        workers=1,
    )
    report = run(job, Notes(folds=2))
    assert report.stopped
    assert report.model is report.entry is report.held_out is None
    assert sum(trial.folds for trial in report.trials) < 60
    assert names(tmp_path) == []


def test_too_many_rows_are_refused(done: Done) -> None:
    """Before they fill the memory."""
    with pytest.raises(EngineError, match=r"more than 300 rows \(max_rows\)"):
        run(tree(done.folder / "city.csv", max_rows=300))


def test_an_input_that_breaks_off_is_told(done: Done, tmp_path: Path) -> None:
    """By its name, in one line, though it broke in a worker: behind the lines that are looked at before."""
    packed, line = tmp_path / "city.gz", (done.folder / "city.csv").read_bytes().splitlines()[0] + b"\n"
    packed.write_bytes(gzip.compress(line * 4000)[:-40])
    with pytest.raises(TransportError) as told:
        run(tree(packed))
    assert str(told.value).startswith(f"{packed}: can't be read: Compressed file ended before")
    assert "\n" not in str(told.value)


def test_few_rows_are_refused(done: Done) -> None:
    """With how many there must be."""
    with pytest.raises(ConfigError, match=r"300 rows are complete; 20 folds .* need 420"):
        run(tree(done.folder / "city.csv", folds=20, since="2015-02-01T00:01:00Z"))


def test_a_job_is_quiet_and_leaves_things_as_they_were(
    done: Done, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of Ray's talk on the terminal, loggers and environment as before; a trial that can't be is no harm."""
    monkeypatch.setenv("RAY_AIR_NEW_OUTPUT", "1")
    before = {name: logging.getLogger(name).level for name in ("ray", "ray.data", "ray.tune")}
    settings = {"model": "regression", "label": None, "trials": 5, "folds": 1, "window": "10ms..all", "workers": 1}
    report = run(tree(done.folder / "city.csv", **settings))
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")
    assert before == {name: logging.getLogger(name).level for name in before}
    assert os.environ["RAY_AIR_NEW_OUTPUT"] == "1"
    assert report.model is not None
    assert report.model.kind == "linear_regression"
    problems = [trial.problem for trial in report.trials if trial.problem]
    assert problems
    assert all(each.startswith("a model needs 6 rows; the window before fold 1 has ") for each in problems)
