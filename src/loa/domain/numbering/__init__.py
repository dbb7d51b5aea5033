"""Number plans as data: which prefixes are mobiles, and whose they probably are."""
