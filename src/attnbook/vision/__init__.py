"""Stimuli, psychophysics and saliency metrics of the chapters on seeing."""
