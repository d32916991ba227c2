"""What Watchkeeper costs, side by side with a bare scan and with its peers; `make bench` writes docs/performance.md."""
