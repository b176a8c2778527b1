"""httptools' parser of answers, as lenient as other clients are."""

from httptools import HttpResponseParser


def lenient_parser(connection: object) -> HttpResponseParser:
    """Return a parser that calls `connection`; what it lets pass reaches nobody who would read it otherwise."""
    parser = HttpResponseParser(connection)
    parser.set_dangerous_leniencies(
        lenient_headers=True,
        lenient_optional_cr_before_lf=True,
        lenient_spaces_after_chunk_size=True,
        lenient_chunked_length=True,
    )
    return parser
