"""Peak rates that RIoTBench's authors published, in messages a second."""

from typing import Final

PEAKS: Final = {
    "annotate": 60_000.0,
    "csv_to_senml": 10_000.0,
    "senml_parse": 3_000.0,
    "xml_parse": 310.0,
    "bloom_filter": 63_000.0,
    "range_filter": 60_000.0,
    "accumulate": 60_000.0,
    "average": 12_000.0,
    "distinct_count": 63_000.0,
    "kalman_filter": 68_000.0,
    "second_moment": 3_000.0,
    "decision_tree_classify": 15_000.0,
    "decision_tree_train": 50.0,
    "interpolate": 50_000.0,
    "linear_regression": 15_000.0,
    "linear_regression_train": 70.0,
    "sliding_regression": 34_000.0,
    "blob_download": 4.0,
    "blob_upload": 2.0,
    "table_insert": 4.0,
    "table_lookup": 3.0,
    "table_range": 1 / 60,
    "mqtt_publish": 8_400.0,
    "mqtt_subscribe": 7_000.0,
    "local_zip": 3_000.0,
    "remote_zip": 300.0,
    "multi_line_plot": 25.0,
}
"""By our names. One thread on one core of a Xeon E5-2660 at 2.2 GHz; tasks alone, fed with constants; blobs and tables
at Azure, over the network. Shukla, Chaturvedi and Simmhan, arXiv 1701.08530, figure 5a."""
