"""The whole main job on one machine: what it needs is started for one visit and taken away again."""
