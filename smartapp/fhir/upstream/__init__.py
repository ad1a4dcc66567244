"""We as reader of the EHR's FHIR: every call takes a permit, every row is checked to be the permit's patient's."""
