"""Where the bytes of files are kept: by what they hold, in a folder or in an S3 bucket."""
