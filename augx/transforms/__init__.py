"""What changes pixels: `catalog` names it all, `problems` checks arguments, `classical` applies one transform,
`pipeline` runs a recipe. `door` is the one door to Albumentations."""
