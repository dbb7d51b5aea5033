"""The pipeline: intake, dispatch, receipts, callbacks, upkeep. They meet only in the ledger."""
