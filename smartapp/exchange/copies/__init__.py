"""A copy to keep: pictures, reports and a directory of them, as one streamed ZIP."""
