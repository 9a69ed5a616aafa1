"""`model_notice`: says of a model that was put into a blob what others need to fetch it."""

from collections.abc import Iterable

from riot_tasks import models, parameters
from riot_tasks.errors import BadRecord
from riot_tasks.models.notices import MAX_SHADOW
from riot_tasks.parameters import whole
from riot_tasks.record import Record
from riot_tasks.task import Task


class ModelNotice(Task):
    """Makes the notice of a model that has been uploaded: what is published on a topic of its own.

    Args:
        field: holds the model's document, as bytes or text: `blob_upload` leaves it there with `keep: true`.
        blob: field with the name of its blob, as `blob_upload` gives it.
        into: field for the notice. A sink of the format `raw` publishes it as it is.
        shadow: messages for which those who take the model try it beside the one they have; 0 is none; None leaves
            it to them.

    The result has one field, the notice as JSON in bytes: where the model is and what it is called, what it foretells
    by which fields, what it was made of, how good it was then, and the SHA-256 of its document, by which a torn or
    replaced blob is known. A field that holds no model makes the record a BadRecord.

    RIoTBench publishes the bare name of the file, and takes the kind of model from what stands between its dashes.

    Example:
        >>> from riot_tasks import Record
        >>> text = (
        ...     '{"kind": "linear_regression", "format": 1, "version": "taxi-1", "features": ["distance"],'
        ...     ' "target": "fare", "coefficients": {"distance": 2.35}, "intercept": 3.57}'
        ... )
        >>> for result in ModelNotice().process(Record(1, "TAXI", 0.0, {"model": text, "blob": "taxi/1.json"})):
        ...     notice = models.read_notice(result.values["payload"])
        ...     print(notice.model, notice.version, notice.target, notice.features)
        taxi/1.json taxi-1 fare ['distance']

    References:
        RIoTBench TRAIN, arXiv 1701.08530, section 4.2 and figure 3c.
    """

    stateful = False
    pattern = "1:1"

    def __init__(
        self, *, field: str = "model", blob: str = "blob", into: str = "payload", shadow: int | None = None
    ) -> None:
        self.field = parameters.name("field", field)
        self.blob = parameters.name("blob", blob)
        self.into = parameters.name("into", into)
        self.shadow = None if shadow is None else whole("shadow", shadow, least=0, most=MAX_SHADOW)

    def process(self, record: Record) -> Iterable[Record]:
        """The notice of the model in a record.

        Raises:
            BadRecord: there is no model in it, or no name of a blob.
        """
        text, blob = record.values.get(self.field), record.values.get(self.blob)
        if not isinstance(text, str | bytes):
            raise BadRecord(f"{self.field}: holds no model; set keep: true for blob_upload")
        if not isinstance(blob, str):
            raise BadRecord(f"{self.blob}: holds no name of a blob")
        try:
            notice = models.notice(text, blob.encode(errors="replace").decode(), shadow=self.shadow)
        except ValueError as error:
            raise BadRecord(f"{self.field}: {error}") from error
        return (Record(record.id, record.source, record.time, {self.into: notice.encode()}, {}, record.meta),)
