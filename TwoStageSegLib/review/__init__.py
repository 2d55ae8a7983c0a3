"""Which slices need a look: errors against a reference, calibrated suspicions without one."""
