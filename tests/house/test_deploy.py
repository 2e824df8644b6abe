import re
from pathlib import Path

import yaml

from stream.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"


def test_ports_are_published_on_loopback_only():
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]

    assert {"kafka", "worker", "gateway", "page"} <= set(services)
    assert all(port.startswith("127.0.0.1:") for s in services.values() for port in s.get("ports", []))


def test_every_variable_in_deploy_is_a_setting():
    known = {f"TWIN_{name.upper()}" for name in Settings.model_fields}
    named = {
        word
        for path in DEPLOY.rglob("*")
        if path.is_file() and path.suffix in {".yaml", ".md", ".example", ".py"}
        for word in re.findall(r"TWIN_[A-Z_0-9]+[A-Z0-9]", path.read_text())
    }

    assert named <= known
