"""The peers of bench/boosting.ts: scikit-learn, LightGBM and XGBoost on the same rows, two threads each.

Answers commands from standard input, one JSON object a line, so that runs alternate with ours:
  {"load": FILE, "rows": N, "columns": C, "test": T}   float64: N+T rows of C columns (column by column), then targets
  {"fit": "hist"|"lightgbm"|"xgboost", "loss": "squared"|"quantile"}
      -> {"seconds", "cpuSeconds", "rmse"}  (quantile 0.9: rmse is the pinball loss)
  {"predict": name, "rows": N} -> {"seconds"}  best of 20 calls
"""

import json
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "2"

import lightgbm
import numpy
import xgboost
from sklearn.ensemble import HistGradientBoostingRegressor

TREES, LEAVES, RATE, THREADS, ALPHA = 100, 31, 0.1, 2, 0.9


def make(name, loss):
    quantile = loss == "quantile"
    if name == "hist":
        kind = {"loss": "quantile", "quantile": ALPHA} if quantile else {}
        return HistGradientBoostingRegressor(
            max_iter=TREES, max_leaf_nodes=LEAVES, learning_rate=RATE, early_stopping=False, **kind
        )
    if name == "lightgbm":
        kind = {"objective": "quantile", "alpha": ALPHA} if quantile else {}
        return lightgbm.LGBMRegressor(
            n_estimators=TREES, num_leaves=LEAVES, learning_rate=RATE, n_jobs=THREADS, verbose=-1, **kind
        )
    kind = {"objective": "reg:quantileerror", "quantile_alpha": ALPHA} if quantile else {}
    return xgboost.XGBRegressor(
        n_estimators=TREES, max_leaves=LEAVES, max_depth=0, grow_policy="lossguide", tree_method="hist",
        learning_rate=RATE, n_jobs=THREADS, **kind
    )


def error(loss, said, truth):
    residual = truth - said
    if loss == "quantile":
        return float(numpy.mean(numpy.maximum(ALPHA * residual, (ALPHA - 1) * residual)))
    return float(numpy.sqrt(numpy.mean(residual**2)))


def main():
    data, models = {}, {}
    for line in sys.stdin:
        task = json.loads(line)
        if "load" in task:
            rows, columns, test = task["rows"], task["columns"], task["test"]
            flat = numpy.fromfile(task["load"], dtype="<f8").reshape(columns + 1, rows + test)
            table = numpy.ascontiguousarray(flat[:columns].T)
            data = {"x": table[:rows], "y": flat[columns, :rows], "xt": table[rows:], "yt": flat[columns, rows:]}
            answer = {"loaded": rows}
        elif "fit" in task:
            model = make(task["fit"], task["loss"])
            wall, cpu = time.perf_counter(), time.process_time()
            model.fit(data["x"], data["y"])
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            models[task["fit"]] = model
            answer = {"seconds": wall, "cpuSeconds": cpu, "rmse": error(task["loss"], model.predict(data["xt"]), data["yt"])}
        else:
            model, rows = models[task["predict"]], data["xt"][: task["rows"]]
            best = float("inf")
            for _ in range(20):
                start = time.perf_counter()
                model.predict(rows)
                best = min(best, time.perf_counter() - start)
            answer = {"seconds": best}
        print(json.dumps(answer), flush=True)


main()
