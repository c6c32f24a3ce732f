"""Parts of the view of recurrent layers through time."""
