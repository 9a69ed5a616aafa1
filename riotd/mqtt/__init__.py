"""The broker connection; the only place that knows the MQTT client."""

from mqttium.api import Message as Incoming

from riotd.mqtt.credentials import read_secret
from riotd.mqtt.loop import Loop
from riotd.mqtt.publisher import Publisher
from riotd.mqtt.subscriber import Subscriber
from riotd.mqtt.terms import Patience, Publication

__all__ = ["Incoming", "Loop", "Patience", "Publication", "Publisher", "Subscriber", "read_secret"]
