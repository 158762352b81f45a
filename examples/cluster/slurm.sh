#!/bin/bash
#SBATCH --job-name=augx
#SBATCH --array=1-16
#SBATCH --cpus-per-task=8
#SBATCH --mem=16G
#SBATCH --requeue
#SBATCH --open-mode=append
# A task that was killed or requeued goes on from where it was.
set -euo pipefail
augx run photos photos-x10 -r recipe.yaml -q \
  --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --workers "$SLURM_CPUS_PER_TASK"
