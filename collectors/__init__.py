"""From the wire to the record: ingest, quarters, prices, stores."""
