"""What tests share: servers, readers and people."""
