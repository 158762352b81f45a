"""What changes pixels: `catalog` names it all, `classical` is the door to Albumentations, `pipeline` runs a recipe."""
