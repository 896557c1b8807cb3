"""The whole job: phases, interruptions, time, host memory, disk and bill."""
