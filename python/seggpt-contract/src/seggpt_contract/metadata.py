"""What stands under the one metadata key that is ours, as JSON; all other keys belong to whoever sent them."""

import json
from dataclasses import asdict, dataclass, field

import pyarrow as pa

KEY = "seggpt"

#: The payload of messages that have none.
NOTHING = pa.array([], type=pa.uint8())


class ContractError(ValueError):
    """A message that does not say what it must."""


@dataclass
class Identity:
    """Which item a message speaks of."""

    item: str  #: unique in the run; what a sink acknowledges
    name: str | None = None  #: where results are stored: a relative path without extension
    source: str | None = None  #: where the picture came from: a path or URI
    index: int | None = None  #: position in the run, from 0
    total: int | None = None  #: how many items the run has, where that is known
    width: int | None = None  #: of the picture, in pixels
    height: int | None = None
    time: str | None = None  #: when it was taken, RFC 3339
    position: str | dict | None = None  #: which part of its source it is; None for the whole picture
    extra: dict = field(default_factory=dict)  #: the metadata of other people, passed on untouched

    def __post_init__(self):
        self.name = self.item if self.name is None else self.name
        self.source = self.item if self.source is None else self.source

    def metadata(self):
        """The metadata that carries it."""
        return _enveloped(self, {})


@dataclass
class Failure:
    """An item without result, and why."""

    identity: Identity
    error: str  #: what was wrong and what to do, for people
    node: str = ""  #: the node that gave up on it

    def metadata(self):
        """The metadata that carries it, beside NOTHING."""
        return _enveloped(self.identity, {"error": self.error, "failed_in": self.node})


@dataclass
class Greeting:
    """No item: a source sends it round the loop; every node passes it on behind all that it received earlier."""

    number: int  #: counts the sender's greetings
    restarted: str | None = None  #: the node that was started again
    died: str | None = None  #: the node that died, says the one behind it

    def metadata(self):
        """The metadata that carries it, beside NOTHING."""
        return {KEY: json.dumps(_given({"greeting": self.number, "restarted": self.restarted, "died": self.died}))}


def read(metadata):
    """The Identity, Failure or Greeting that metadata carries; None for a message of a foreign node, without our key.

    Raises ContractError where the key is there and cannot be read.
    """
    if KEY not in metadata:
        return None
    try:
        envelope = json.loads(metadata[KEY])
        if "greeting" in envelope:
            return Greeting(envelope["greeting"], envelope.get("restarted"), envelope.get("died"))
        known = Identity.__dataclass_fields__.keys() - {"extra"}
        extra = {key: value for key, value in metadata.items() if key != KEY}
        identity = Identity(**{key: envelope[key] for key in known & envelope.keys()}, extra=extra)
    except (TypeError, ValueError, AttributeError) as error:
        raise ContractError(f"metadata: `{KEY}` is {metadata[KEY]!r}; expected an identity as JSON ({error})") from error
    if envelope.get("error") is None:
        return identity
    return Failure(identity, envelope["error"], envelope.get("failed_in") or "")


def passes_on(event):
    """Whether an input is to be sent on as it is, with its metadata and NOTHING: a failed item or a greeting."""
    return isinstance(read(event["metadata"]), Failure | Greeting)


def _enveloped(identity, more):
    envelope = asdict(identity)
    extra = envelope.pop("extra")
    return {**extra, KEY: json.dumps(_given(envelope | more))}


def _given(values):
    return {key: value for key, value in values.items() if value is not None}
