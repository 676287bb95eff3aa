"""Orders that strangers write into texts, and a model that obeys every one of them."""
