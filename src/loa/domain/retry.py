"""When to try again: the spacing of tries, for messages and for callbacks. Pure; the jitter is handed in."""

SEND_BACKOFF_MS = (5_000, 15_000, 45_000, 120_000, 300_000, 600_000)
"""Spacing of counted tries of a message on one channel."""

SEND_TRIES_MAX = 8
"""Counted tries after which a message is a dead letter."""

CALLBACK_DELAYS_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Delays after the first to the ninth failed try: ten tries over about three days. Source: Standard Webhooks 1.0.0."""


def send_delay_ms(tries: int, jitter: float) -> int:
    """Give the wait after the `tries`-th counted failure.

    Shapes: tries >= 1, jitter 0..1 -> 80 to 120 % of the table.
    """
    base = SEND_BACKOFF_MS[min(tries, len(SEND_BACKOFF_MS)) - 1]
    return int(base * (0.8 + 0.4 * jitter))


def callback_delay_ms(tries: int, jitter: float) -> int | None:
    """Give the wait after the `tries`-th failed try of a callback, or None when no try is left."""
    if tries > len(CALLBACK_DELAYS_S):
        return None
    return int(CALLBACK_DELAYS_S[tries - 1] * 1000 * (0.8 + 0.4 * jitter))
