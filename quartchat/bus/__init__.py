"""Wake-ups: "there is something new in these topics". Lossy by contract; the log is the truth."""
