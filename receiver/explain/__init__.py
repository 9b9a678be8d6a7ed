"""Why a run decided as it did: the path through the tree, the guardrails' answers, what would have changed it."""
