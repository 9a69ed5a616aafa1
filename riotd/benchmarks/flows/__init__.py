"""The four dataflows measured whole: a load, a broker, `riotd run` and a listener, each in a process of its own."""
