"""Whether alerts were told whole: what was published of each, in the order of the topic, against what was true in the end."""


def lives(documents):
    """By alert what was said of it, in order; and whose rule each is."""
    found = {}
    for alert in documents:
        found.setdefault(alert["alert_id"], []).append(alert["state"])
    return found


def gaps(published, transitions):
    """What is wrong with a life, by alert; empty when all are whole.

    Args:
        published: states of each alert in the order of the topic; a crash may say some again.
        transitions: the same of the undisturbed run, where every state comes once.

    """
    wrong = {}
    for identity, truth in transitions.items():
        told = published.get(identity, [])
        if missing := [state for state in truth if state not in told]:
            wrong[identity] = f"never {' or '.join(missing)}: {told} for {truth}"
        elif told[-1] not in (truth[-1], "acknowledged"):
            wrong[identity] = f"ends {told[-1]} and is {truth[-1]}: {told}"
    for identity, told in published.items():
        if identity not in transitions and told[-1] != "resolved":
            wrong[identity] = f"never was, and is left open: {told}"
        for at, state in enumerate(told):
            before = told[:at]
            skipped = (
                state == "active" and "pending" in transitions.get(identity, ()) and "pending" not in before
            )
            if skipped or (state in ("resolved", "acknowledged") and not {"pending", "active"} & set(before)):
                wrong[identity] = f"{state} before it began: {told}"
    return wrong
