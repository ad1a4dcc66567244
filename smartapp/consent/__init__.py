"""What may be done with whose studies: model, policy and Permits, all pure."""
