"""Parts of the cause view: the stacked bars and the sentence below them."""
