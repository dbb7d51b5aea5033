"""The page to which a provider sends a person back who was asked for consent."""
