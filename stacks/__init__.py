"""The stacks of the system: wiring only. What is wired is in constructs_lib, with which values in cdk.json."""
