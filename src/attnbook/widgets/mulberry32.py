"""Random numbers that the page and the kernel draw alike (js/mechanisms/mulberry32.js)."""


def generator(seed):
    """mulberry32: an endless iterator of numbers from 0 to 1 that ``seed`` fixes."""
    mask = 0xFFFFFFFF
    while True:
        seed = (seed + 0x6D2B79F5) & mask
        t = ((seed ^ (seed >> 15)) * (1 | seed)) & mask
        t = ((t + (((t ^ (t >> 7)) * (61 | t)) & mask)) & mask) ^ t
        yield (t ^ (t >> 14)) / 4294967296
