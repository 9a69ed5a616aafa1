"""The broker connection; the only place that knows the MQTT client."""

from uvloop import Loop

from riotd.mqtt.credentials import read_secret
from riotd.mqtt.publisher import Publisher
from riotd.mqtt.subscriber import Subscriber
from riotd.mqtt.terms import Patience, Publication

__all__ = ["Loop", "Patience", "Publication", "Publisher", "Subscriber", "read_secret"]
