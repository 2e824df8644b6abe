"""Settings of a sink on the services of the test."""

from pydantic import SecretStr

from stream.settings import Settings


def influx_sink(kafka, influx2, app_id, **more):
    """Into InfluxDB 2.9.1; `influx_url` where a proxy stands between."""
    return Settings(**{
        "broker": kafka.bootstrap, "app_id": app_id, "roles": "sink", "store": "influx", "influx_url": influx2.url,
        "influx_token": SecretStr(influx2.token), "influx_org": influx2.org, "influx_bucket": influx2.bucket,
    } | more)  # fmt: skip
