"""May we, now? One guardrail a file: a pure function of the facts that refuses or says nothing."""
