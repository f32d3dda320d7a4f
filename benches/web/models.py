"""Makes the models that onnxruntime-web runs beside the files of this project.

    python models.py mobilenet-v2 OUT          MobileNet v2 in float, with random weights
    python models.py int8 MODEL OUT            the int8 form of MODEL, by onnxruntime's static quantisation
    python models.py side MODEL                prints the height and width of MODEL's input

Both are for measuring time and size: random weights and a calibration on random pictures take as long as real ones.
"""

import logging
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

OPSET = 18
CALIBRATION_PICTURES = 8

# Expansion, channels, blocks and stride of each stage: table 2 of Sandler et al., "MobileNetV2", CVPR 2018.
STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


class MobileNet:
    """Collects the nodes of the graph. BatchNorms are folded into the convolutions, as deployed files have them."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.nodes = []
        self.constants = [self.named("zero", np.float32(0)), self.named("six", np.float32(6))]
        self.weights = 0

    @staticmethod
    def named(name, values):
        return numpy_helper.from_array(np.asarray(values, np.float32), name)

    def node(self, kind, inputs, **attributes):
        """Adds an operator and names its output."""
        output = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, shape, deviation):
        name = f"c{len(self.constants)}"
        self.constants.append(self.named(name, deviation * self.random.standard_normal(shape)))
        self.weights += int(np.prod(shape))
        return name

    def conv(self, x, inputs, outputs, kernel=1, stride=1, groups=1, clip=True):
        fan_in = inputs // groups * kernel * kernel
        weights = self.constant((outputs, inputs // groups, kernel, kernel), (2 / fan_in) ** 0.5)
        bias = self.constant((outputs,), 0.1)
        pad = kernel // 2
        x = self.node("Conv", [x, weights, bias], strides=[stride] * 2, pads=[pad] * 4, group=groups)
        return self.node("Clip", [x, "zero", "six"]) if clip else x

    def block(self, x, inputs, outputs, expansion, stride):
        """Expands, filters each channel, and projects; adds the input where the shapes allow it."""
        inner, y = inputs * expansion, x
        if expansion != 1:
            y = self.conv(y, inputs, inner)
        y = self.conv(y, inner, inner, kernel=3, stride=stride, groups=inner)
        y = self.conv(y, inner, outputs, clip=False)
        return self.node("Add", [x, y]) if stride == 1 and inputs == outputs else y

    def model(self):
        channels = 32
        x = self.conv("image", 3, channels, kernel=3, stride=2)
        for expansion, outputs, blocks, stride in STAGES:
            for block in range(blocks):
                x = self.block(x, channels, outputs, expansion, stride if block == 0 else 1)
                channels = outputs
        x = self.conv(x, channels, 1280)
        x = self.node("Flatten", [self.node("GlobalAveragePool", [x])])
        weights, bias = self.constant((1000, 1280), 1280**-0.5), self.constant((1000,), 0.1)
        self.nodes.append(helper.make_node("Gemm", [x, weights, bias], ["logits"], transB=1))
        graph = helper.make_graph(
            self.nodes,
            "mobilenet-v2",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 224, 224])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 1000])],
            self.constants,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)


def mobilenet_v2(out):
    net = MobileNet(seed=1)
    model = net.model()
    onnx.checker.check_model(model, full_check=True)
    # torchvision's file has as many, less the BatchNorms that are folded here.
    assert 3.4e6 < net.weights < 3.6e6, net.weights
    onnx.save(model, out)


class RandomPictures(CalibrationDataReader):
    """Pictures of random tiles with grain, like those of the benchmark."""

    def __init__(self, side):
        random = np.random.default_rng(2)
        self.pictures = (self.picture(random, side) for _ in range(CALIBRATION_PICTURES))

    @staticmethod
    def picture(random, side):
        tile = max(1, side // 7)
        coarse = random.random((3, side // tile + 1, side // tile + 1)).repeat(tile, 1).repeat(tile, 2)[:, :side, :side]
        grain = 0.2 * (random.random((3, side, side)) - 0.5)
        return np.clip(coarse + grain, 0, 1).astype(np.float32)[None]

    def get_next(self):
        picture = next(self.pictures, None)
        return None if picture is None else {"image": picture}


def side(model):
    return model.graph.input[0].type.tensor_type.shape.dim[3].dim_value


def int8(source, out):
    # The quantiser looks for convolutions with constant weights: unpack them first, and give the batch its size.
    with tempfile.TemporaryDirectory() as folder:
        fixed, folded = f"{folder}/fixed.onnx", f"{folder}/folded.onnx"
        model = onnx.load(source)
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
        onnx.save(model, fixed)
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = folded
        onnxruntime.InferenceSession(fixed, options, providers=["CPUExecutionProvider"])
        quantize_static(
            folded,
            out,
            RandomPictures(side(model)),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            # The rest in float: faster in onnxruntime-web than everything in int8 (measured on L-SSPQ50: 123 to 136 ms).
            op_types_to_quantize=["Conv", "Gemm"],
        )


def report(out):
    print(f"{out}: {Path(out).stat().st_size} bytes")


def main(arguments):
    logging.getLogger().setLevel(logging.ERROR)
    match arguments:
        case ["mobilenet-v2", out]:
            mobilenet_v2(out)
            report(out)
        case ["int8", source, out]:
            int8(source, out)
            report(out)
        case ["side", source]:
            print(side(onnx.load(source)))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
