"""What people have to put right: opened by what we notice, looked at and settled by staff."""
