"""An object store in place of a shared folder: S3, Google Cloud Storage or Azure, through obstore."""
