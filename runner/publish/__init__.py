"""What is published of records: sections of pages, and a whole site."""
