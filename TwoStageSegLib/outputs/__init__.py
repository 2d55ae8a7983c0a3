"""What a run leaves behind: files that other programs open. Every file appears whole or not at all (``atomic``)."""
