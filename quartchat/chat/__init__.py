"""What people do: each verb checks who may, changes rows and appends events in one transaction."""
