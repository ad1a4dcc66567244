"""We as DICOMweb server (PS3.18), for whoever holds a token. Whether and what it gives is decided in `records`."""
