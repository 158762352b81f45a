"""Learned augmenters: fitted by `augx learn`, used by steps of a recipe. Nobody else imports torch.

Nothing here is imported but by a verb's body, or by a name in `artefact.METHODS` or the catalog.
"""
