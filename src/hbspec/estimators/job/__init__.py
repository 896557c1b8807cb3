"""The whole job: its phases, interruptions, time, host, disk and bill."""
