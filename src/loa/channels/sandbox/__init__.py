"""The sandbox channel: a provider that lives in the process and answers by rule."""
