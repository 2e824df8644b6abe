"""What a worker does with a command of twin.command.v1: acknowledge, profile."""

import time
from typing import Any

import orjson

from connectors.decode import person_fault
from connectors.errors import PayloadError, Reason
from stream import topics
from stream.cohort import Cohort
from stream.letters import Letter, dead_letter
from twin.profile import ProfileError

LONGEST_NAME = 100


class _Plain:
    """A Faust message in the shape of an aiokafka record."""

    def __init__(self, message: Any, value: bytes) -> None:
        self.partition, self.offset, self.timestamp = message.partition, message.offset, message.timestamp
        self.key, self.value = message.key, value


def obey(cohort: Cohort, message: Any, value: bytes) -> tuple[list[dict[str, Any]], list[Letter]]:
    """Do as a command says; returns alerts to announce, and the dead letter of what is no command."""
    try:
        document = orjson.loads(value)
        person = document["person"]
        if person_fault(person) or (message.key is not None and message.key != person.encode()):
            raise PayloadError("no person, or not the record's key", Reason.SCHEMA_INVALID, "person")
        if document["command"] == "acknowledge":
            by = str(document.get("by", ""))[:LONGEST_NAME]
            return cohort.acknowledge(person, document["alert_id"], by, int(time.time() * 1000)), []
        if document["command"] != "profile":
            raise PayloadError("unknown command", Reason.SCHEMA_INVALID, "command")
        cohort.set_profile(person, document["profile"])
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, PayloadError, ProfileError) as error:
        plain = _Plain(message, value)
        return [], [dead_letter(topics.COMMAND, plain, Reason.SCHEMA_INVALID.value, type(error).__name__)]
    return [], []
