"""A whole neighbourhood in one process: twins, gateways, record, planner and pages."""
