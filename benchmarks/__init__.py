"""What the daemon costs, measured beside blackbox_exporter on the same machine in the same minutes: `make bench`."""
