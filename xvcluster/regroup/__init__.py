"""Results made from a result: cut elsewhere, merged, tidied."""
