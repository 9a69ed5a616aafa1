"""The sending half of a session against a broker that allows little, over any history of losses."""

from hypothesis import given, settings
from hypothesis import strategies as st
from mqttium.packets import PublishPacket

from riotd.mqtt.flight import Allowed, Flight
from riotd.mqtt.packets import cut
from tests.riotd.mqtt_halves import ALL, flight, read, sender


class Peer:
    """A broker: what it has read, and its half of the exchanges."""

    def __init__(self) -> None:
        self.got: list[tuple[int, int]] = []  # QoS, number
        self.held: set[int] = set()  # QoS 2: identifiers between PUBREC and PUBREL
        self.answers: list[bytes] = []
        self.open = 0

    def hear(self, data: bytes, window: int) -> None:
        """Read these packets."""
        for start, body, end in cut(data, ALL).spans:
            if data[start] >> 4 == 6:
                number = data[body:end]
                self.held.discard(int.from_bytes(number, "big"))
                self.answers.append(b"\x70\x02" + number)
                continue
            (packet,) = read(data[start:end])
            self._take(packet)
            self.open += packet.qos > 0
            assert self.open <= window

    def answer(self, most: int) -> list[bytes]:
        """The oldest answers, sent."""
        sent, self.answers = self.answers[:most], self.answers[most:]
        self.open -= sum(answer[0] in (0x40, 0x70) for answer in sent)
        return sent

    def lose(self, *, session: bool) -> None:
        """The connection breaks, and with it perhaps the session."""
        self.answers, self.open = [], 0
        if session:
            self.held.clear()

    def _take(self, packet: PublishPacket) -> None:
        number = packet.mid or 0
        if packet.qos < 2 or number not in self.held:
            self.got.append((int(packet.qos), int(packet.payload)))
        if packet.qos == 2:
            self.held.add(number)
        if packet.qos:
            self.answers.append((b"\x40\x02" if packet.qos == 1 else b"\x50\x02") + number.to_bytes(2, "big"))


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 2), st.integers(1, 5)),
        st.tuples(st.just("write"), st.integers(1, 60), st.just(0)),
        st.tuples(st.just("answer"), st.integers(1, 4), st.just(0)),
        st.tuples(st.just("lose"), st.integers(0, 1), st.integers(0, 60)),
    ),
    max_size=40,
)


class Party:
    """A session of ours and a broker that allows so many on the way."""

    def __init__(self, window: int) -> None:
        self.outbound, self.peer, self.window = sender(window), Peer(), window
        self.flights: list[Flight] = []
        self.total = 0

    def add(self, qos: int, count: int) -> None:
        """More is to be sent."""
        self.flights.append(flight(range(self.total, self.total + count), qos=qos))
        self.total += count
        self.outbound.add(self.flights[-1])

    def write(self, room: int) -> bool:
        """Some of it reaches the broker; whether there was any."""
        data = self.outbound.take(room)
        self.peer.hear(data, self.window)
        return bool(data)

    def answer(self, most: int) -> bool:
        """So many answers reach us; whether there was any."""
        answers = self.peer.answer(most)
        for answer in answers:
            self.outbound.hear(answer, cut(answer, ALL).spans)
        return bool(answers)

    def lose(self, room: int, *, session: bool) -> None:
        """The connection breaks in the middle of what is written, and with it perhaps the session."""
        data = self.outbound.take(room)
        ends = [end for _, _, end in cut(data, ALL).spans]
        self.peer.hear(data[: ends[len(ends) // 2]] if ends else b"", self.window)
        self.peer.lose(session=session)
        self.outbound.connected(Allowed(window=self.window), resumed=not session)


@settings(max_examples=300, deadline=None)
@given(steps, st.integers(1, 4), st.sampled_from(["kept", "may be lost"]))
def test_everything_arrives_whatever_breaks(history: list[tuple[str, int, int]], window: int, sessions: str) -> None:
    """QoS 1 and 2 arrive, firsts in order; QoS 2 once if the sessions last; nothing beyond the window is on the way."""
    party = Party(window)
    for what, one, other in history:
        match what:
            case "add":
                party.add(one, other)
            case "write":
                party.write(one)
            case "answer":
                party.answer(one)
            case _:
                party.lose(other, session=sessions != "kept" and not one)
    while party.answer(100) or party.write(ALL):
        pass
    got = party.peer.got
    firsts = [number for qos, number in dict.fromkeys(got) if qos]
    assert firsts == [int(payload) for each in party.flights if each.qos for _, payload in each.pairs]
    assert not any(each.left for each in party.flights)
    assert all(got.count(each) == 1 for each in got if each[0] == 0 or (each[0] == 2 and sessions == "kept"))
