"""The same shards on Apache Beam and on Apache Flink, for input that ends.

Both platforms get a job of one keyed exchange: the driver writes the portions to a folder, cut by shard, and gives the
platform where the slices are; the platform brings the slices of a shard together, in order, at one `Shard`; outcomes
come back through files of the same folder. So no process ever holds the whole input, and no record is pickled.
The folder must be seen by driver and workers alike: these are local runs, or a cluster with a shared file system.
"""
