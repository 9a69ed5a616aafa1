"""Feeds made up from a seed: as much sensor data as asked for."""

from riotd.feeds.annotations import ANNOTATIONS, annotations
from riotd.feeds.arrivals import HISTOGRAMS, Arrivals, Dataset, rate_of_peak
from riotd.feeds.city_feed import START, city
from riotd.feeds.city_sensor import BANDS, sensor_id
from riotd.feeds.fit_subject import FIT
from riotd.feeds.grid_meter import GRID
from riotd.feeds.request import Form
from riotd.feeds.schema_feeds import fit, grid, taxi, usual_rate
from riotd.feeds.taxi_trip import TAXI

SCHEMAS = {"taxi": TAXI, "fit": FIT, "grid": GRID}
"""Columns, units and range filter's bands of the sets that have a schema."""

__all__ = [
    "ANNOTATIONS",
    "BANDS",
    "HISTOGRAMS",
    "SCHEMAS",
    "START",
    "Arrivals",
    "Dataset",
    "Form",
    "annotations",
    "city",
    "fit",
    "grid",
    "rate_of_peak",
    "sensor_id",
    "taxi",
    "usual_rate",
]
