"""New faces of rare kinds from a few inverted ones: does a norm-aware path make better ones?"""
