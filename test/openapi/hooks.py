"""What schemathesis cannot know by itself about this API."""

import schemathesis

FORM = {"BODY_INVALID", "QUERY_INVALID"}


@schemathesis.check
def valid_form(ctx, response, case):
    """What the schemas allow is not refused for its form, and every problem names itself and its trace."""
    if response.status_code < 400 or "problem+json" not in response.headers.get("content-type", [""])[0]:
        return None
    problem = response.json()
    assert problem["trace_id"] in response.headers["traceparent"][0], "the trace is another"
    if case.meta is not None and case.meta.generation.mode.is_positive:
        assert problem["code"] not in FORM, f"valid by the schema and refused: {problem['detail']}"
    return None
