"""spark-submit spark.py INPUT OUTPUT RECIPE SHARDS: shards of `augx run` as tasks of Spark, which tries them again.

augx has to be installed on the workers; INPUT and OUTPUT are seen by all of them under the same name.
"""

import subprocess
import sys

from pyspark.sql import SparkSession

source, output, recipe, shards = sys.argv[1:]


def shard(number: int) -> str:
    """Exit code 1 says that some images could not be made: they are in failures.jsonl, and trying again is no help."""
    run = ["augx", "run", source, output, "-r", recipe, "--shard", f"{number}/{shards}", "--workers", "1", "-q"]
    done = subprocess.run(run, stderr=subprocess.PIPE, text=True)
    if done.returncode > 1:
        raise RuntimeError(f"shard {number}/{shards}: exit code {done.returncode}: {done.stderr[-2000:]}")
    return f"shard {number}/{shards} is done"


spark = SparkSession.builder.appName("augx").getOrCreate()
numbers = range(1, int(shards) + 1)
for line in spark.sparkContext.parallelize(numbers, len(numbers)).map(shard).collect():
    print(line)
spark.stop()
sys.exit(subprocess.run(["augx", "merge", output]).returncode)
