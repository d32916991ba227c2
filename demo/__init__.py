"""The demonstration: a miniature bank's month of trouble, its last days run by a real Airflow."""
