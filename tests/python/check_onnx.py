"""Checks an exported model with the `onnx` package and runs it in onnxruntime.

    python check_onnx.py MODEL                       check only
    python check_onnx.py MODEL INPUTS.f32 OUT.f32    check, then run

INPUTS.f32 holds pictures as little-endian float32, [count][3][side][side] in [0, 1]; the count follows from its size and
the model's input. OUT.f32 receives the logits, [count][classes]. Exit code 1 and a sentence where something is wrong.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

OPSET = 18
BATCH = 50


def check(path):
    """The names of what is wrong with the file; none where a standard runtime can be expected to read it."""
    model = onnx.load(path)
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # The checker raises several unrelated types.
        return [f"the onnx checker: {error}"]
    wrong = []
    opsets = {opset.domain: opset.version for opset in model.opset_import}
    if opsets != {"": OPSET}:
        wrong.append(f"operator sets {opsets}, not {OPSET} of the default domain alone")
    foreign = sorted({node.op_type for node in model.graph.node if node.domain})
    if foreign:
        wrong.append(f"operators of other domains: {', '.join(foreign)}")
    if model.functions:
        wrong.append("model functions, which not every runtime reads")
    names = [value.name for value in (*model.graph.input, *model.graph.output)]
    if names != ["image", "logits", "embedding"]:
        wrong.append(f"inputs and outputs {names}, not image, logits, embedding")
    used = {name for node in model.graph.node for name in node.input}
    unused = [constant.name for constant in model.graph.initializer if constant.name not in used]
    if unused:
        wrong.append(f"constants that nothing uses: {', '.join(unused)}")
    return wrong


def run(path, inputs):
    """The logits of all pictures, a few at a time."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    side = session.get_inputs()[0].shape[-1]
    pictures = np.fromfile(inputs, dtype="<f4")
    if pictures.size == 0 or pictures.size % (3 * side * side):
        sys.exit(f"{inputs}: {pictures.size} numbers are no whole number of pictures of 3 x {side} x {side}")
    pictures = pictures.reshape(-1, 3, side, side)
    batches = (pictures[start : start + BATCH] for start in range(0, len(pictures), BATCH))
    return np.concatenate([session.run(["logits"], {"image": batch})[0] for batch in batches])


def main(arguments):
    if len(arguments) not in (1, 3):
        sys.exit(__doc__)
    model = arguments[0]
    wrong = check(model)
    if wrong:
        sys.exit("\n".join(f"{model}: {what}" for what in wrong))
    if len(arguments) == 3:
        logits = run(model, arguments[1])
        logits.astype("<f4").tofile(arguments[2])
        print(f"{Path(model).name}: {len(logits)} pictures, {logits.shape[1]} classes")


if __name__ == "__main__":
    main(sys.argv[1:])
