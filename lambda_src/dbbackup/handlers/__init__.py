"""Lambda entry points: translate an event, call one operation, translate the outcome."""
