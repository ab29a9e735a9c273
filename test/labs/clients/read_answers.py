"""Reads every answer with the client that openapi-python-client made: read_answers.py FOLDER URL.

An answer is read when the generated model holds all of it: written back as JSON, it equals what was sent.
"""

import datetime
import json
import sys

folder, url = sys.argv[1:]
sys.path.insert(0, folder)

from client import Client  # noqa: E402
from client.api.inventory import inventory, put_inventory  # noqa: E402
from client.api.reports import (  # noqa: E402
    clients,
    dead,
    endpoint,
    report,
    services,
    summary,
    timeseries,
    top,
)
from client.models import Error  # noqa: E402
from client.models.report_sort import ReportSort  # noqa: E402
from client.models.report_status_item import ReportStatusItem  # noqa: E402

api = Client(base_url=url, raise_on_unexpected_status=True)
read = []


def same(model, sent, where):
    """Times are written with another precision: they are compared as moments."""
    if isinstance(sent, dict):
        assert set(model) == set(sent), f"{where}: {set(model) ^ set(sent)}"
        for name, value in sent.items():
            same(model[name], value, f"{where}.{name}")
    elif isinstance(sent, list):
        assert len(model) == len(sent), where
        for one, other in zip(model, sent):
            same(one, other, f"{where}[]")
    elif model != sent:
        moments = [datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) for text in (model, sent)]
        assert moments[0] == moments[1], f"{where}: {model} is not {sent}"


def take(name, response):
    assert response.status_code == 200, f"{name}: {response.status_code}"
    assert response.parsed is not None and not isinstance(response.parsed, Error), name
    same(response.parsed.to_dict(), json.loads(response.content), name)
    read.append(name)
    return response.parsed


take("services", services.sync_detailed(client=api))
rows = take(
    "report",
    report.sync_detailed(
        client=api,
        from_=datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc),
        status=[ReportStatusItem.ACTIVE, ReportStatusItem.DEAD, ReportStatusItem.UNKNOWN, ReportStatusItem.COLD],
        method=["GET", "POST"],
        sort=ReportSort.P999_DURATION_MS,
        limit=10,
    ),
).endpoints
assert rows, "the calls that were sent are in the report"
take("top", top.sync_detailed(client=api))
take("dead", dead.sync_detailed(client=api))
take("summary", summary.sync_detailed(client=api))
take("timeseries", timeseries.sync_detailed(client=api, tz="Europe/Berlin"))
take("endpoint", endpoint.sync_detailed(rows[0].id, client=api))
take("clients", clients.sync_detailed(client=api))
take("putInventory", put_inventory.sync_detailed("shop", client=api, body={"routes": [{"method": "GET", "route": "/a"}]}))
take("inventory", inventory.sync_detailed("shop", client=api))
wrong = report.sync_detailed(client=api, service="x" * 300)
assert wrong.status_code == 400 and isinstance(wrong.parsed, Error), "an error is read as one"
print(f"python: {len(read)} answers read whole: {', '.join(read)}; an error too")
