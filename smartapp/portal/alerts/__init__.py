"""The page on which somebody says where alerts on sign-ins go."""
