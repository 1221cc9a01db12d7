"""Redis: logs, states and pub/sub. The only place that imports redis."""
