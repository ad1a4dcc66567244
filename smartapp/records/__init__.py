"""Use-cases that read: a patient's studies, reports and images, and the index that says which are theirs."""
