"""`notice_parse`: what a notice says of a model, checked before anything is fetched."""

from collections.abc import Iterable, Sequence

from riot_tasks import models, parameters
from riot_tasks.errors import BadRecord
from riot_tasks.models.reading import KINDS
from riot_tasks.parameters import names
from riot_tasks.record import Record, Value
from riot_tasks.task import Task


class NoticeParse(Task):
    """Reads the notice of a model: `blob_download` behind it fetches the model, a predicting task behind that takes it.

    Args:
        field: holds the notice, as bytes or text.
        kinds: kinds of models that are wanted here, `linear_regression` or `decision_tree`; None is all.
        targets: fields to foretell that are wanted here; None is all.

    The result has the fields `blob`, its name; `kind`; `version`; `target`; `sha256`, what its bytes must have;
    `shadow`, the messages for which it is to be tried, if the notice says so; and `notice`, the text itself. A notice
    of another kind or target than those wanted gives nothing. What is no notice, or one of a later format, is a
    BadRecord.

    Its source has `key: every`, so that each shard hears of the model at the same message. RIoTBench's PRED takes any
    text with two dashes for a notice.

    Example:
        >>> from riot_tasks import Record
        >>> notice = models.Notice(
        ...     format=1, model="taxi/1.json", kind="linear_regression", version="taxi-1", target="fare",
        ...     features=["distance"], sha256=64 * "0",
        ... ).encode()
        >>> for result in NoticeParse(targets=["fare"]).process(Record(1, "models", 0.0, {"payload": notice})):
        ...     print(result.values["blob"], result.values["kind"], result.values["version"])
        taxi/1.json linear_regression taxi-1

    References:
        RIoTBench PRED, arXiv 1701.08530, section 4.2 and figure 3d.
    """

    stateful = False
    pattern = "1:0/1"

    def __init__(
        self, *, field: str = "payload", kinds: Sequence[str] | None = None, targets: Sequence[str] | None = None
    ) -> None:
        self.field = parameters.name("field", field)
        self.kinds = names("kinds", kinds)
        self.targets = names("targets", targets)
        if strange := next((kind for kind in self.kinds or () if kind not in KINDS), None):
            raise ValueError(f"kinds: there is no {strange!r}; there is {' and '.join(KINDS)}")

    def process(self, record: Record) -> Iterable[Record]:
        """What the notice says; nothing if it is about another model.

        Raises:
            BadRecord: it is none.
        """
        text = record.values.get(self.field)
        if not isinstance(text, str | bytes):
            raise BadRecord(f"{self.field}: holds no notice")
        try:
            notice = models.read_notice(text)
        except ValueError as error:
            raise BadRecord(f"{self.field}: {error}") from error
        if self.kinds is not None and notice.kind not in self.kinds:
            return ()
        if self.targets is not None and notice.target not in self.targets:
            return ()
        values: dict[str, Value] = {
            "blob": notice.model,
            "kind": notice.kind,
            "version": notice.version,
            "target": notice.target,
            "sha256": notice.sha256,
            "notice": notice.encode().decode(),
        }
        if notice.shadow is not None:
            values["shadow"] = notice.shadow
        return (Record(record.id, record.source, record.time, values, {}, record.meta),)
