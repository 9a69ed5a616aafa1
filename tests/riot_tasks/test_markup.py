"""XML from outside: what is refused, and how paths lead through what is not."""

import time
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riot_tasks import BadRecord
from riot_tasks.parse.markup import MAX_DEPTH, path, tree

LOG = b"""<?xml version="1.0"?>
<log xmlns="urn:a" xmlns:m="urn:b" site="north" m:site="south">
  <!-- two readings -->
  <m:reading id="a" m:id="x"> <value unit="Cel"> 21<!-- and a -->.5\t</value> <?skip it?> </m:reading>
  <reading id="b"><value><![CDATA[<22> ]]>&amp; &#x33;</value><note>in the <b>shade</b></note></reading>
</log>"""


def _text(written: str, *, row: int = 0, document: bytes | str = LOG) -> str | None:
    grown = tree(document)
    found = path("path", written)
    return found.text(grown if found.absolute else grown.findall("log/reading")[row])


@pytest.mark.parametrize(
    ("written", "row", "expected"),
    [
        ("value", 0, "21.5"),
        ("value", 1, "<22> & 3"),
        ("value/@unit", 0, "Cel"),
        ("value/@unit", 1, None),
        ("@id", 0, "a"),
        ("note", 0, None),
        ("note", 1, "in the shade"),
        ("note/b", 1, "shade"),
        (".", 0, "21.5"),
        ("./@id", 1, "b"),
        ("/log/@site", 0, "north"),
        ("/log/reading[@id='b']/value", 0, "<22> & 3"),
        ("//b", 0, "shade"),
        ("//*[@id='urn:x']", 0, None),
        ("//value/@unit", 1, "Cel"),
        ("*", 1, "<22> & 3"),
    ],
)
def test_a_path_leads_to_a_text_or_an_attribute(written: str, row: int, expected: str | None) -> None:
    """From a row, or from the document after a slash; prefixes, comments and space around do not count."""
    assert _text(written, row=row) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252", "ascii"])
def test_bytes_are_read_in_the_encoding_they_say(encoding: str) -> None:
    """Umlauts arrive whole in each of the usual encodings."""
    document = f'<?xml version="1.0" encoding="{encoding}"?><a>caf&#xe9; é</a>'.encode(encoding, "xmlcharrefreplace")
    assert tree(document)[0].text == "café é"


def test_text_is_read_whatever_encoding_it_says() -> None:
    """A document that is text already has no encoding any more."""
    assert tree('<?xml version="1.0" encoding="latin-1"?><a>é€</a>')[0].text == "é€"


BOMB = b"""<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]><a>&d;</a>"""


@pytest.mark.parametrize(
    "document",
    [
        BOMB,
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        b'<!DOCTYPE a [<!ENTITY % e SYSTEM "http://localhost:9/x"> %e;]><a/>',
        b'<!DOCTYPE a [<!ATTLIST a x CDATA "' + b"x" * 1000 + b'">]><a/>',
        b'<!DOCTYPE a SYSTEM "http://localhost:9/a.dtd"><a/>',
        b'<!DOCTYPE a PUBLIC "-//A//B//EN" "a.dtd"><a x="&e;"/>',
        b"<!DOCTYPE a []><a/>",
    ],
)
def test_what_expands_or_reaches_out_is_refused(document: bytes) -> None:
    """Entities, external or not, default attributes and external definitions are refused before they are read."""
    with pytest.raises(BadRecord, match="document type definition, which is refused"):
        tree(document)


def test_a_doctype_that_only_names_the_root_is_harmless() -> None:
    """It declares nothing, so nothing but XML's own five entities can be used."""
    assert tree(b"<!DOCTYPE a><a>&lt;</a>")[0].text == "<"
    with pytest.raises(BadRecord, match="not XML: undefined entity"):
        tree(b"<!DOCTYPE a><a>&e;</a>")


def test_depth_is_bounded() -> None:
    """The deepest document allowed is read, one level more is refused, and a million levels at once."""
    assert tree(b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH)[0].tag == "a"
    for depth in (MAX_DEPTH + 1, 1_000_000):
        with pytest.raises(BadRecord, match="XML of more than 100 elements within each other"):
            tree(b"<a>" * depth + b"</a>" * depth)


def test_many_attributes_take_no_longer_than_they_are() -> None:
    """A tag with 50,000 attributes is read in time that grows with them, not with their square."""
    begun = time.process_time()
    tree(b"<a " + b" ".join(b'a%d="x"' % number for number in range(50_000)) + b"/>")
    assert time.process_time() - begun < 2.0


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "no element found"),
        (b"temperature=21.5", "not well-formed"),
        (b"<a><b></a>", "mismatched tag"),
        (b"<a/><a/>", "junk after document element"),
        (b"<a x='1' x='2'/>", "duplicate attribute"),
        (b"<a>\xff</a>", "not well-formed"),
        (b"<a>\x00</a>", "not well-formed"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "unknown encoding"),
        (b'<?xml version="1.0" encoding="zlib"?><a/>', "not a text encoding"),
        (b'<?xml version="1.0" encoding="shift_jis"?><a/>', "multi-byte encodings are not supported"),
        ("<a>\ud800</a>", "surrogates not allowed"),
    ],
)
def test_what_is_not_xml_is_refused(document: bytes | str, reason: str) -> None:
    """The reason says what and, where it can, at which line and column."""
    with pytest.raises(BadRecord, match=f"not XML: .*{reason}"):
        tree(document)


_BITS = [
    "<a>",
    "</a>",
    "<a ",
    "b='1'",
    "/>",
    ">",
    "&lt;",
    "&e;",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?x y?>",
    "é",
    " ",
]


@given(
    st.one_of(st.binary(max_size=60), st.text(max_size=60), st.lists(st.sampled_from(_BITS), max_size=9).map("".join))
)
def test_what_comes_is_read_as_elementtree_reads_it_or_refused(document: bytes | str) -> None:
    """Garbage, and tags put together at random, make ElementTree's own tree, or a BadRecord where that fails."""
    try:
        expected = ET.tostring(ET.fromstring(document))
    except (ET.ParseError, LookupError, ValueError):
        with pytest.raises(BadRecord):
            tree(document)
    else:
        assert ET.tostring(tree(document)[0]) == expected


@pytest.mark.parametrize("written", [None, 3, "", "/", " ", "//", "a[", "a/b[1", "@", "x:a", "{u}a", "a[0]", "'a'"])
def test_what_is_no_path_is_refused(written: object) -> None:
    """A path that ElementTree does not know is a mistake that names the parameter."""
    with pytest.raises(ValueError, match=r"^rows: "):
        path("rows", written)
