"""A sink's word that an item is done with."""

from .metadata import ContractError, Failure, Identity, read

DONE = "done"
FAILED = "failed"


def ack(item, status=DONE):
    """The metadata of an acknowledgement, sent beside NOTHING: results are in place, or the failure is recorded."""
    return {**Identity(item).metadata(), "status": status}


def read_ack(metadata):
    """(item, status) of an acknowledgement. Raises ContractError where it is none."""
    message = read(metadata)
    identity = message.identity if isinstance(message, Failure) else message
    status = metadata.get("status")
    if not isinstance(identity, Identity) or status not in (DONE, FAILED):
        raise ContractError(f"Ack: needs an identity and `status` done or failed; found {message!r} and {status!r}")
    return identity.item, status
