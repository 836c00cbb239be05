"""Two people write to each other through real proxies: what came of it, and what it cost."""
