"""Everything an operator can set, read once at start."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.channels import SLEEP_AND_DAYS

USUAL: dict[str, float] = dict.fromkeys(SLEEP_AND_DAYS, 120.0)  # hours


class Settings(BaseSettings):
    """Environment variables named TWIN_<FIELD>; TWIN_INFLUX_TOKEN sets influx_token."""

    model_config = SettingsConfigDict(env_prefix="TWIN_", frozen=True)

    broker: str = Field("127.0.0.1:9092", description="Kafka, host:port.")
    app_id: str = Field(
        "wearable-twin", description="Consumer group of the workers and prefix of their changelog."
    )
    partitions: int = Field(
        8, ge=1, le=1024, description="Partitions of every topic; fixed once there is data."
    )
    roles: str = Field("update,sink,alerts", description="What this process does, of update, sink, alerts.")
    embedded: bool = Field(False, description="The broker is the embedded one of `twin demo`.")
    data_dir: Path = Field(Path(".twin"), description="Folder for the embedded store and Faust's own files.")

    weights: str = Field(
        "",
        description="Weights file of the learned part; none: the mechanism alone; empty: those that are shipped.",
    )
    tick_s: int = Field(
        60, ge=1, le=3600, description="Readings of a channel within a tick are one observation."
    )
    window_h: float = Field(
        24.0, gt=0, le=720, description="How late a reading may come and still be applied."
    )
    windows: dict[str, float] = Field(
        default_factory=lambda: dict(USUAL),
        description="Other hours by channel, source or source/channel, JSON; sleep and summaries of a day: 120.",
    )
    future: Literal["refuse", "wait"] = Field(
        "refuse",
        description="Readings more than 5 minutes ahead of the topic's time: refuse, or let up to a day wait.",
    )
    silent_after_min: float = Field(
        30.0, gt=0, description="Without a reading for so long a technical alert opens."
    )
    checkpoint_s: float = Field(5.0, gt=0, le=300, description="How often state goes to the changelog.")
    resident_twins: int = Field(
        18_000, ge=1, description="Twins that stay in memory; those of others lie in a file under data_dir."
    )
    session_timeout_s: float = Field(
        6.0, gt=0, description="A killed worker's partitions move after so long."
    )
    heartbeat_s: float = Field(
        1.0, gt=0, description="Heartbeat to the broker; a third of the session at most."
    )
    fetch_wait_ms: int = Field(100, ge=1, le=5000, description="How long an empty fetch waits.")

    stalled_s: float = Field(
        120.0, gt=5, description="With lag and without progress for so long a worker ends itself (exit 71)."
    )
    health_host: str = Field("127.0.0.1", description="Where a worker serves /live, /ready and /metrics.")
    health_port: int = Field(0, ge=0, le=65535, description="0 chooses a free port and logs it.")

    store: Literal["sqlite", "influx", "none"] = Field("sqlite", description="Where the sink writes.")
    sqlite_path: Path = Field(Path(".twin/twin.sqlite"), description="File of the embedded store.")

    influx_url: str = Field("http://127.0.0.1:8086", description="InfluxDB 1.8 or 2.x.")
    influx_token: SecretStr = Field(
        SecretStr(""), description="Token that writes and reads the bucket; 1.x: user:password, or empty."
    )
    influx_org: str = Field("-", description="Organisation; - for 1.x.")
    influx_bucket: str = Field("twin", description="Bucket; database or database/retention for 1.x.")
    influx_long_bucket: str = Field("", description="Bucket of hourly rows; empty: the same as the others.")
    influx_alert_bucket: str = Field("", description="Bucket of alerts; empty: the same as the others.")
    influx_keep_days: int = Field(
        30, ge=1, description="What `twin doctor --fix` makes a missing bucket keep."
    )
    influx_keep_long_days: int = Field(
        730, ge=1, description="The same for the buckets of hourly rows and alerts."
    )
    sink_lanes: int = Field(
        4, ge=1, le=64, description="Requests to InfluxDB at a time; a person is always in the same lane."
    )
    sink_mib: int = Field(
        64, ge=1, le=4096, description="What the sink may hold [MiB]; beyond it fetches no more."
    )
    worker_name: str = Field(
        "", description="Tag of this process's twin_sink rows; empty: the machine's name."
    )

    gateway_host: str = Field("127.0.0.1", description="Where vendors push to.")
    gateway_port: int = Field(8080, ge=0, le=65535, description="0 chooses a free port.")
    vendor_keys: dict[str, SecretStr] = Field(
        default_factory=dict, description='Bearer keys, JSON: {"dexcom": "...", "readings": "..."}.'
    )
    google_health_keyset: Path | None = Field(
        None, description="Google's published Tink keyset, a JSON file; without it no notification is taken."
    )
    page_host: str = Field(
        "127.0.0.1", description="Where the page is served; elsewhere page_token is a must."
    )
    page_port: int = Field(8090, ge=0, le=65535, description="0 chooses a free port.")
    page_token: SecretStr | None = Field(None, description="Token of the page when it is not on loopback.")
    webhook_url: str | None = Field(None, description="Alerts are delivered here (Standard Webhooks).")
    webhook_secret: SecretStr | None = Field(None, description="whsec_... of the webhook.")
    log_level: str = Field("info", description="debug, info, warning or error.")
