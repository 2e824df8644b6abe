"""Names of the topics, and making those that are missing."""

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from stream.settings import Settings

READING, ESTIMATE, ALERT, COMMAND = "reading.v1", "estimate.v1", "alert.v1", "twin.command.v1"
LATE = "reading.v1.late"
VENDORS = ("google_health", "dexcom")


def dead_letters(topic: str) -> str:
    """Where what a topic's readers refuse goes."""
    return f"{topic}.dlq"


def changelog(settings: Settings) -> str:
    """The topic that holds the twins."""
    return f"{settings.app_id}-twins-changelog"


def needed(settings: Settings) -> dict[str, int]:
    """Every topic and its partitions."""
    n = settings.partitions
    names = [READING, ESTIMATE, ALERT, COMMAND, LATE]
    names += [dead_letters(name) for name in (READING, ESTIMATE, ALERT, COMMAND)]
    names += [name for vendor in VENDORS for name in (f"raw.{vendor}.v1", dead_letters(f"raw.{vendor}.v1"))]
    return dict.fromkeys([*names, changelog(settings)], n)


async def create_missing(settings: Settings, replication: int = 1) -> list[str]:
    """Create the topics that are not there; returns their names. The changelog is compacted."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker)
    await admin.start()
    try:
        there = set(await admin.list_topics())
        missing = {name: n for name, n in needed(settings).items() if name not in there}
        new = []
        for name, partitions in missing.items():
            config = {"max.message.bytes": "16777216"}
            if name == changelog(settings):
                config |= {"cleanup.policy": "compact", "min.compaction.lag.ms": "21600000"}
            if (
                name == READING
            ):  # what is ahead of its time is judged by the broker's clock, the same in every run
                config |= {"message.timestamp.type": "LogAppendTime"}
            new.append(NewTopic(name, partitions, replication, topic_configs=config))
        if new:
            await admin.create_topics(new)
        return sorted(missing)
    finally:
        await admin.close()
