"""DICOM bytes: multipart bodies, whose an instance is, pixels, the encrypted cache. Knows no HTTP and no Flask."""
