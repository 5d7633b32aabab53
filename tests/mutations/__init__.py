"""Recorded answers, blemished at random: what says otherwise must never come out as cancelled."""
