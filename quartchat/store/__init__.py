"""What is kept, and how: schema, writer, log, tail, and one file per thing kept."""
