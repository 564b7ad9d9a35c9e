"""The service: workers on Celery that carry out runs of a shared queue."""
