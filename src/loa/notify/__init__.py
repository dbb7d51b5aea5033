"""Posts signed callbacks to tenants, behind the outbound address guard."""
