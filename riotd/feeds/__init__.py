"""Feeds made up from a seed: as much sensor data as asked for."""

from riotd.feeds.city_feed import START, city
from riotd.feeds.city_sensor import BANDS, Form, sensor_id

__all__ = ["BANDS", "START", "Form", "city", "sensor_id"]
